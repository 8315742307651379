"""Wrappers for methods that exist twice, blocking and async: one function says what they do."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
)
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Generic, TypeAlias, TypeVar, cast

from opentelemetry import trace as otel

from trace_agents_adapters import boundary
from trace_agents_adapters.langchain.scope import current_run, open_in
from trace_agents_adapters.patches import Method

T = TypeVar("T")
Args: TypeAlias = tuple[object, ...]
Settings: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ready(Generic[T]):
    """A call that is about to be made: with which arguments, and what is told of it."""

    args: Args
    settings: Settings
    span: otel.Span
    finish: Callable[[otel.Span, T], None]
    """Writes the result into the span."""
    guard: Callable[[], AbstractContextManager[None]] = boundary.counted_once
    """Makes that the same call, made again further inside, is not counted again."""
    on: object | None = None
    """Another object of which the method is called, if not the user's."""

    @contextmanager
    def current(self) -> Generator[None]:
        """Make the span current inside, where the same call is not counted again."""
        with (
            otel.use_span(self.span, record_exception=False, set_status_on_exception=False),
            self.guard(),
        ):
            yield

    @contextmanager
    def made(self) -> Generator[Callable[[T], None]]:
        """Make the span current while the call runs; gives the function that takes its result."""
        run = current_run()

        def left() -> None:
            boundary.refused(self.span, "the run was over before the call was")
            self.span.end()

        with open_in(run, left) if run else nullcontext():
            try:
                with self.current():
                    yield self._finish
            except BaseException as error:
                if self.span.is_recording():
                    boundary.failed(self.span, error)
                raise
            finally:
                if self.span.is_recording():
                    self.span.end()

    def _finish(self, result: T) -> None:
        if self.span.is_recording():
            self.finish(self.span, result)


@dataclass(frozen=True, slots=True)
class Instead(Generic[T]):
    """What a call gives without being made."""

    value: T


Prepare: TypeAlias = Callable[[object, Args, Settings], "Ready[T] | Instead[T] | None"]
"""Says what becomes of a call of an object's method; None: it passes through."""
Streamed: TypeAlias = Callable[[object, Args, Settings], "Ready[list[T]] | None"]
"""Says the same of a method that gives its result in pieces."""


def blocking(prepare: Prepare[T]) -> Callable[[Method], Method]:
    """Return what wraps a blocking method."""

    def wrapping(original: Method) -> Method:
        call = cast("Callable[..., T]", original)

        @wraps(call)
        def bound(self: object, *args: object, **settings: object) -> T:
            ready = prepare(self, args, settings)
            if ready is None:
                return call(self, *args, **settings)
            if isinstance(ready, Instead):
                return ready.value
            with ready.made() as finish:
                result = call(ready.on or self, *ready.args, **ready.settings)
                finish(result)
            return result

        return bound

    return wrapping


def awaited(prepare: Prepare[T]) -> Callable[[Method], Method]:
    """Return what wraps an async method."""

    def wrapping(original: Method) -> Method:
        call = cast("Callable[..., Awaitable[T]]", original)

        @wraps(call)
        async def bound(self: object, *args: object, **settings: object) -> T:
            ready = prepare(self, args, settings)
            if ready is None:
                return await call(self, *args, **settings)
            if isinstance(ready, Instead):
                return ready.value
            with ready.made() as finish:
                result = await call(ready.on or self, *ready.args, **ready.settings)
                finish(result)
            return result

        return bound

    return wrapping


def streaming(prepare: Streamed[T]) -> Callable[[Method], Method]:
    """Return what wraps a method that gives pieces one by one."""

    def wrapping(original: Method) -> Method:
        call = cast("Callable[..., Iterator[T]]", original)

        @wraps(call)
        def bound(self: object, *args: object, **settings: object) -> Iterator[T]:
            ready = prepare(self, args, settings)
            if ready is None:
                return call(self, *args, **settings)
            return _pieces(call(self, *ready.args, **ready.settings), ready)

        return bound

    return wrapping


def astreaming(prepare: Streamed[T]) -> Callable[[Method], Method]:
    """Return what wraps a method that gives pieces one by one, asynchronously."""

    def wrapping(original: Method) -> Method:
        call = cast("Callable[..., AsyncIterator[T]]", original)

        @wraps(call)
        def bound(self: object, *args: object, **settings: object) -> AsyncIterator[T]:
            ready = prepare(self, args, settings)
            if ready is None:
                return call(self, *args, **settings)
            return _apieces(call(self, *ready.args, **ready.settings), ready)

        return bound

    return wrapping


def _pieces(pieces: Iterator[T], ready: Ready[list[T]]) -> Generator[T]:
    with _stream(ready) as had:
        try:
            while True:
                # current for one piece only: between two, the context may be another one
                with ready.current():
                    try:
                        piece = next(pieces)
                    except StopIteration:
                        return
                had.append(piece)
                yield piece
        finally:
            if isinstance(pieces, Generator):
                pieces.close()


async def _apieces(pieces: AsyncIterator[T], ready: Ready[list[T]]) -> AsyncGenerator[T]:
    with _stream(ready) as had:
        try:
            while True:
                with ready.current():
                    try:
                        piece = await anext(pieces)
                    except StopAsyncIteration:
                        return
                had.append(piece)
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                with suppress(RuntimeError):  # a loop that shuts down closes all at once
                    await pieces.aclose()


@contextmanager
def _stream(ready: Ready[list[T]]) -> Generator[list[T]]:
    """Give the list of the pieces; the span ends with them, or when nobody wants more."""
    had: list[T] = []
    run = current_run()

    def end() -> None:
        if ready.span.is_recording():
            if had:
                ready.finish(ready.span, had)
            ready.span.end()

    with open_in(run, end) if run else nullcontext():
        try:
            yield had
        except GeneratorExit:  # the reader has left, which is no error
            raise
        except BaseException as error:
            boundary.failed(ready.span, error)
            raise
        finally:
            end()
