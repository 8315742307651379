"""What Python's operators do with nodes: each makes a node that remembers its operands."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, NoReturn, cast

from trace_agents.errors import InvalidValue

if TYPE_CHECKING:
    from trace_agents.tracing.nodes import Node

_BINARY = {
    "add": "x + y",
    "sub": "x - y",
    "mul": "x * y",
    "truediv": "x / y",
    "floordiv": "x // y",
    "mod": "x % y",
    "divmod": "divmod(x, y)",
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
_UNARY: dict[str, tuple[Callable[..., object], str]] = {
    "neg": (operator.neg, "-x"),
    "pos": (operator.pos, "+x"),
    "abs": (abs, "abs(x)"),
    "invert": (operator.invert, "~x"),
    "floor": (math.floor, "the whole number at or below x"),
    "ceil": (math.ceil, "the whole number at or above x"),
    "trunc": (math.trunc, "x without its fraction"),
}
_CHANGING: Mapping[type, frozenset[str]] = {
    list: frozenset(("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse")),
    dict: frozenset(("update", "pop", "popitem", "setdefault", "clear")),
    set: frozenset(
        (
            *("add", "remove", "discard", "pop", "clear", "update"),
            *("intersection_update", "difference_update", "symmetric_difference_update"),
        )
    ),
    bytearray: frozenset(("append", "extend", "insert", "remove", "pop", "clear", "reverse")),
}
_INSTEAD: Mapping[type, str] = {
    list: "write `x + [item]`, or change a copy in a bundled function",
    dict: "write `x | {key: value}`, or change a copy in a bundled function",
    set: "write `x | {item}`, or change a copy in a bundled function",
    bytearray: "change a copy in a bundled function",
}


class Operators:
    """The operators of a node; arithmetic, comparison, access and calls are recorded.

    What Python needs plain is plain: truth, length, `int()`, `float()`, `str()`, `in` and the
    hash. Two nodes are equal if they are one node; compare values with `eq`.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def data(self) -> Any: ...  # noqa: D102
        @property
        def raw(self) -> object: ...  # noqa: D102
        def use(self) -> Node: ...  # noqa: D102

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
        __divmod__ = __rdivmod__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = _binary
        __neg__ = __pos__ = __abs__ = __invert__ = _unary
        __floor__ = __ceil__ = __trunc__ = _unary

    def eq(self, other: object) -> Node:
        """Return a node with the truth of `x == y`."""
        return self._operate("eq", operator.eq, "x == y", x=self, y=other)

    def neq(self, other: object) -> Node:
        """Return a node with the truth of `x != y`."""
        return self._operate("neq", operator.ne, "x != y", x=self, y=other)

    def not_(self) -> Node:
        """Return a node with the truth of `not x`."""
        return self._operate("not", operator.not_, "not x", x=self)

    def is_(self, other: object) -> Node:
        """Return a node with the truth of `x is y`."""
        return self._operate("is", operator.is_, "x is y", x=self, y=other)

    def is_in(self, container: object) -> Node:
        """Return a node with the truth of `x in y`."""
        return self._operate("in", _is_in, "x in y", x=self, y=container)

    def contains(self, item: object) -> Node:
        """Return a node with the truth of `y in x`."""
        return self._operate("contains", operator.contains, "y in x", x=self, y=item)

    def getattr(self, name: str) -> Node:
        """Return a node with an attribute of the value."""
        return self._operate("getattr", getattr, "x.y", x=self, y=name)

    def call(self, method: str, *args: object, **kwargs: object) -> Node:
        """Return a node with the result of a method of the value.

        Raises:
            InvalidValue: the method would change a built-in container in place.
            ExecutionError: the method raised.
        """
        self._refuse_change(method)
        return self._invoke(method, f"x.{method}(...)", method, args, kwargs)

    def len(self) -> Node:
        """Return a node with the length of the value."""
        return self._operate("len", len, "len(x)", x=self)

    def format(self, *args: object, **kwargs: object) -> Node:
        """Return a node with the text, its fields filled in."""
        return self.call("format", *args, **kwargs)

    def items(self) -> Any:
        """Return pairs of nodes, the keys and values of a dict."""
        return list(zip(self.keys(), self.values(), strict=True))

    def keys(self) -> Any:
        """Return nodes of a dict's keys."""
        return self._each("keys")

    def values(self) -> Any:
        """Return nodes of a dict's values."""
        return self._each("values")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"a node has no attribute {name!r}")
        found = getattr(self.use().raw, name)
        return functools.partial(self.call, name) if callable(found) else self.getattr(name)

    def __call__(self, *args: object, **kwargs: object) -> Node:
        """Call the value, where it is a function."""
        return self._invoke("call", "x(...)", "__call__", args, kwargs)

    def __round__(self, ndigits: int | None = None) -> Node:
        return self._operate("round", round, "round(x, y)", x=self, y=ndigits)

    def __getitem__(self, key: object) -> Node:
        return self._operate("getitem", operator.getitem, "x[y]", x=self, y=key)

    def __setitem__(self, key: object, value: object) -> NoReturn:
        self._refuse("x[key] = value")

    def __delitem__(self, key: object) -> NoReturn:
        self._refuse("del x[key]")

    def __iter__(self) -> Iterator[Node]:
        data: object = self.data
        if isinstance(data, Sequence):
            return (self[index] for index in range(len(cast("Sequence[object]", data))))
        name = "key" if isinstance(data, Mapping) else "item"
        return (self._part(name, value) for value in cast("Set[object]", data))

    def __reversed__(self) -> Iterator[Node]:
        return reversed(list(iter(self)))

    def __contains__(self, item: object) -> bool:
        return _is_in(item.data if isinstance(item, Operators) else item, self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __complex__(self) -> complex:
        return complex(self.data)

    def __index__(self) -> int:
        return operator.index(self.data)

    def __str__(self) -> str:
        return str(self.data)

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    def _invoke(
        self,
        name: str,
        text: str,
        method: str,
        args: Sequence[object],
        kwargs: Mapping[str, object],
    ) -> Node:
        given = {f"arg{index}": value for index, value in enumerate(args)}
        given.update((f"key_{key}", value) for key, value in kwargs.items())

        def run(x: object, *values: object) -> object:
            named = dict(zip(kwargs, values[len(args) :], strict=True))
            return getattr(x, method)(*values[: len(args)], **named)

        return self._operate(name, run, text, x=self, **given)

    def _each(self, method: str) -> Any:
        data: object = self.data
        if not isinstance(data, Mapping):
            return self.call(method)
        found = cast("Mapping[object, object]", data)
        if method == "values":
            return [self[key] for key in found]
        return [self._part("key", key) for key in found]

    def _part(self, name: str, value: object) -> Node:
        def known(_: object) -> object:
            return value

        return self._operate(name, known, f"one {name} of x", x=self)

    def _refuse_change(self, method: str) -> None:
        if method in _CHANGING.get(type(self.use().raw), ()):
            self._refuse(f"x.{method}(...)")

    def _refuse(self, what: str) -> NoReturn:
        kind = type(self.use().raw)
        advice = _INSTEAD.get(kind, "change it in a bundled function that returns the new value")
        raise InvalidValue(
            f"`{what}` would change the {kind.__name__} of a recorded node; {advice}"
        )


def _is_in(item: object, container: object) -> bool:
    return operator.contains(cast("Sequence[object]", container), item)


def binary(name: str) -> Callable[..., object]:
    """Return Python's own function for a binary operator."""
    return divmod if name == "divmod" else getattr(operator, f"__{name}__")


def _forward(name: str, function: Callable[..., object], text: str) -> Callable[[Any, Any], object]:
    return lambda self, other: self._two(name, function, text, self, other)


def _reflected(
    name: str, function: Callable[..., object], text: str
) -> Callable[[Any, Any], object]:
    return lambda self, other: self._two(name, function, text, other, self)


def _single(name: str, function: Callable[..., object], text: str) -> Callable[[Any], object]:
    return lambda self: self._operate(name, function, text, x=self)


def _install() -> None:
    for name, text in (_BINARY | _COMPARE).items():
        setattr(Operators, f"__{name}__", _forward(name, binary(name), text))
    for name, text in _BINARY.items():
        setattr(Operators, f"__r{name}__", _reflected(name, binary(name), text))
    for name, (function, text) in _UNARY.items():
        setattr(Operators, f"__{name}__", _single(name, function, text))


_install()
