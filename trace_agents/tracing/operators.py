"""Python's operators on nodes: each makes a node that remembers its operands."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node

_BINARY = {
    "add": "x + y",
    "sub": "x - y",
    "mul": "x * y",
    "truediv": "x / y",
    "floordiv": "x // y",
    "mod": "x % y",
    "pow": "x ** y",
    "and": "x & y",
    "or": "x | y",
    "xor": "x ^ y",
    "matmul": "x @ y",
    "lshift": "x << y",
    "rshift": "x >> y",
}
_COMPARE = {
    "lt": "x < y",
    "le": "x <= y",
    "gt": "x > y",
    "ge": "x >= y",
}
_UNARY = {
    "neg": "-x",
    "pos": "+x",
    "abs": "abs(x)",
    "invert": "~x",
}


class Operators:
    """The operators of a node; arithmetic, comparison and access are recorded."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def data(self) -> Any: ...  # noqa: D102
        @property
        def raw(self) -> object: ...  # noqa: D102

        def _operate(
            self, name: str, function: Callable[..., object], text: str, /, **inputs: object
        ) -> Node: ...
        def _binary(self, other: object) -> Node: ...
        def _unary(self) -> Node: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _binary
        __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _binary
        __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __rand__ = _binary
        __or__ = __ror__ = __xor__ = __rxor__ = __matmul__ = __rmatmul__ = _binary
        __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = _binary
        __neg__ = __pos__ = __abs__ = __invert__ = _unary

    def eq(self, other: object) -> Node:
        """Return a node with the truth of `x == y`."""
        return self._operate("eq", operator.eq, "x == y", x=self, y=other)

    def neq(self, other: object) -> Node:
        """Return a node with the truth of `x != y`."""
        return self._operate("neq", operator.ne, "x != y", x=self, y=other)

    def getattr(self, name: str) -> Node:
        """Return a node with an attribute of the value."""
        return self._operate("getattr", getattr, "x.y", x=self, y=name)

    def call(self, method: str, *args: object, **kwargs: object) -> Node:
        """Return a node with the result of a method of the value; the value must not change."""
        keywords = {f"key_{name}": value for name, value in kwargs.items()}
        positional = {f"arg{index}": value for index, value in enumerate(args)}

        def run(x: object, *given: object) -> object:
            named = dict(zip(kwargs, given[len(args) :], strict=True))
            return getattr(x, method)(*given[: len(args)], **named)

        return self._operate(method, run, f"x.{method}(...)", x=self, **positional, **keywords)

    def len(self) -> Node:
        """Return a node with the length of the value."""
        return self._operate("len", len, "len(x)", x=self)

    def format(self, *args: object, **kwargs: object) -> Node:
        """Return a node with the text, its fields filled in."""
        return self.call("format", *args, **kwargs)

    def __getitem__(self, key: object) -> Node:
        return self._operate("getitem", operator.getitem, "x[y]", x=self, y=key)

    def __iter__(self) -> Iterator[Node]:
        for index, _ in enumerate(self.data):
            data: object = self.data
            yield self._key(index) if isinstance(data, dict) else self[index]

    def _key(self, index: int) -> Node:
        return self._operate("key", _nth, "the y-th key of x", x=self, y=index)

    def __contains__(self, item: object) -> bool:
        wanted: object = item.data if isinstance(item, Operators) else item
        return wanted in self.data

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __str__(self) -> str:
        return str(self.data)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)


def _nth(x: Iterable[object], y: int) -> object:
    return list(x)[y]


def _install() -> None:
    for name, text in (_BINARY | _COMPARE).items():
        setattr(Operators, f"__{name}__", _forward(name, _python(name), text))
    for name, text in _BINARY.items():
        setattr(Operators, f"__r{name}__", _reflected(name, _python(name), text))
    for name, text in _UNARY.items():
        setattr(Operators, f"__{name}__", _single(name, _python(name), text))


def _python(name: str) -> Callable[..., object]:
    """Return Python's own function for an operator."""
    return cast("Callable[..., object]", getattr(operator, f"__{name}__"))


def _forward(name: str, function: Callable[..., object], text: str) -> Callable[[Any, Any], object]:
    return lambda self, other: self._operate(name, function, text, x=self, y=other)


def _reflected(
    name: str, function: Callable[..., object], text: str
) -> Callable[[Any, Any], object]:
    return lambda self, other: self._operate(name, function, text, x=other, y=self)


def _single(name: str, function: Callable[..., object], text: str) -> Callable[[Any], object]:
    return lambda self: self._operate(name, function, text, x=self)


_install()
