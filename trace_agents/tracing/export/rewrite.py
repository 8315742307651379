"""Source with nodes to source without: what each thing of this library is in plain Python."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

from trace_agents.errors import InvalidValue
from trace_agents.tracing.export.known import Known, item
from trace_agents.tracing.export.unit import FunctionDef, arguments, bindings
from trace_agents.tracing.parameters import ParameterNode

Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_COMPARISONS: Mapping[str, type[ast.cmpop]] = {
    "eq": ast.Eq,
    "neq": ast.NotEq,
    "is_": ast.Is,
    "is_in": ast.In,
}
_CALL = """
def __call__(self, *args, **kwargs):
    return self.forward(*args, **kwargs)
"""


class Rewriter(ast.NodeTransformer):
    """Rewrites statements of one file, in place."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._unit = known.unit
        self.placed: set[int] = set()
        """Ids of the parameters whose values stand in the source now."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Drop this library's base and decorator; call `forward` as the base did."""
        is_library = self._unit.is_library
        marked = [mark for mark in node.decorator_list if is_library(mark, "model")]
        based = [base for base in node.bases if is_library(base, "Module")]
        node.bases = [base for base in node.bases if base not in based]
        node.decorator_list = [mark for mark in node.decorator_list if mark not in marked]
        with self._known.inside_class(node.name) as kind:
            self.generic_visit(node)
        members = {name for statement in node.body for name in bindings(statement)}
        if (marked or based) and hasattr(kind, "forward") and "__call__" not in members:
            node.body += ast.parse(_CALL).body
        return node

    def visit_FunctionDef(self, node: FunctionDef) -> FunctionDef:
        """Drop `bundle`, put in the code that was learnt."""
        marks = [m for m in node.decorator_list if self._unit.is_library(_head(m), "bundle")]
        node.decorator_list = [mark for mark in node.decorator_list if mark not in marks]
        if marks:
            self._learn(node)
        node.returns = self._kept(node.returns)
        with self._known.inside_function(node, plain=bool(marks) and not _traceable(marks)):
            self.generic_visit(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> FunctionDef:
        """Do as for a function."""
        return self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        """Rewrite the body; what the arguments are is not known."""
        with self._known.inside({arg.arg: False for arg in arguments(node.args)}):
            self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Drop an annotation that names something of this library."""
        node.annotation = self._kept(node.annotation)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """Put the current values of parameters in the place of the first ones."""
        target = node.targets[0]
        for each in node.targets:
            self._known.bind(each, node.value)
        node.value = self._with_values(node.value, self._known.live(target))
        node.targets = [self.visit(each) for each in node.targets]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        """Do as for an assignment; an annotation of this library goes."""
        if node.value is not None:
            self._known.bind(node.target, node.value)
            node.value = self._with_values(node.value, self._known.live(node.target))
        node.target = self.visit(node.target)
        if self._kept(node.annotation) is not None:
            return node
        if node.value is None:
            return ast.Pass()
        return ast.Assign([node.target], node.value, lineno=node.lineno)

    def visit_For(self, node: ast.For) -> ast.For:
        """Note that the parts of a node are nodes."""
        self._known.bind(node.target, node.iter)
        self.generic_visit(node)
        return node

    def visit_ListComp(self, node: Comprehension) -> Comprehension:
        """Note that the parts of a node are nodes, before the item is rewritten."""
        with self._known.inside({}):
            for part in node.generators:
                self._known.bind(part.target, part.iter)
            self.generic_visit(node)
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Turn the `data` of a node into the value."""
        if self._known.is_of_module(node):
            raise InvalidValue(
                f"line {node.lineno} uses {ast.unparse(node)}, which only a Module has; move it "
                "out of what is exported"
            )
        is_value = node.attr == "data" and self._known.is_node(node.value)
        self.generic_visit(node)
        return node.value if is_value else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Turn `node(x)` into `x`, `bundle(f)` into `f`, and a node's own methods into Python."""
        if self._unit.is_library(node.func, "node"):
            return cast(ast.expr, self.visit(_value(node)))
        if self._unit.is_library(_head(node.func), "bundle") and node.args:
            return cast(ast.expr, self.visit(node.args[0]))
        method = node.func
        of_node = isinstance(method, ast.Attribute) and self._known.is_node(method.value)
        self.generic_visit(node)
        if of_node and isinstance(method, ast.Attribute):
            return _plain_method(node, method)
        return node

    def _learn(self, node: FunctionDef) -> None:
        """Give a function the body that was learnt, where it is trainable.

        Raises:
            InvalidValue: several objects learnt different ones.
        """
        codes = self._known.codes(node.name)
        if len({code.raw for code in codes}) > 1:
            raise InvalidValue(
                f"several objects learnt different code of {node.name!r}, and a class holds one; "
                "export the objects one by one"
            )
        self.placed.update(id(code) for code in codes)
        for code in codes[:1]:
            learnt = cast(FunctionDef, ast.parse(cast(str, code.raw)).body[0])
            node.args, node.body = learnt.args, learnt.body

    def _with_values(self, value: ast.expr, live: object) -> ast.expr:
        """Return `value` with what its parameters are now."""
        is_call = isinstance(value, ast.Call) and self._unit.is_library(value.func, "node")
        if is_call and isinstance(live, ParameterNode):
            self.placed.add(id(live))
            return literal(live)
        if isinstance(value, ast.Dict):
            value.values = [
                self._with_values(inner, item(live, key) if key is not None else None)
                for key, inner in zip(value.keys, value.values, strict=True)
            ]
        elif isinstance(value, ast.List | ast.Tuple) and isinstance(live, list | tuple):
            items = cast("Sequence[object]", live)
            if len(items) == len(value.elts):
                pairs = zip(value.elts, items, strict=True)
                value.elts = [self._with_values(inner, each) for inner, each in pairs]
        return cast(ast.expr, self.visit(value))

    def _kept(self, annotation: ast.expr | None) -> ast.expr | None:
        if annotation is None or self._unit.uses_library(annotation):
            return None
        return annotation


def literal(parameter: ParameterNode) -> ast.expr:
    """Return the value of a parameter as it is written in Python.

    Raises:
        InvalidValue: Python has no way to write it.
    """
    try:
        made = ast.parse(repr(parameter.raw), mode="eval").body
        if ast.literal_eval(made) == parameter.raw:
            return made
    except (SyntaxError, ValueError):
        pass
    raise InvalidValue(
        f"the value of {parameter.name!r} cannot be written as a literal: {parameter.raw!r}"
    )


def _plain_method(call: ast.Call, method: ast.Attribute) -> ast.expr:
    """Return what a method that only nodes have does with their values."""
    value, name, args = method.value, method.attr, call.args
    if name in _COMPARISONS and len(args) == 1:
        return ast.Compare(value, [_COMPARISONS[name]()], args)
    if name == "contains" and len(args) == 1:
        return ast.Compare(args[0], [ast.In()], [value])
    if name in ("detach", "clone"):
        return value
    if name == "not_":
        return ast.UnaryOp(ast.Not(), value)
    if name == "len":
        return ast.Call(ast.Name("len", ast.Load()), [value], [])
    if name in ("call", "getattr") and args and isinstance(args[0], ast.Constant):
        found = ast.Attribute(value, str(args[0].value), ast.Load())
        return found if name == "getattr" else ast.Call(found, args[1:], call.keywords)
    return call


def _head(expression: ast.expr) -> ast.expr:
    return expression.func if isinstance(expression, ast.Call) else expression


def _value(call: ast.Call) -> ast.expr:
    named = (keyword.value for keyword in call.keywords if keyword.arg == "value")
    return call.args[0] if call.args else next(named)


def _traceable(marks: Iterable[ast.expr]) -> bool:
    keywords = [k for mark in marks if isinstance(mark, ast.Call) for k in mark.keywords]
    return any(k.arg == "traceable" for k in keywords)
