"""Expressions of a ledger, evaluated safely: arithmetic over models' figures and nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any

from ..._text import brief
from ..._spelling import suggestion
from .errors import LARGEST, LONGEST, MOST_RUNS, LedgerError
from .figures import Figures
from .functions import FUNCTIONS, RUNS

_LARGEST_EXPONENT = 64
_LARGEST_BASE = 1e18


@dataclass(frozen=True)
class Step:
    """A figure that an expression took, or a side that it compared: its text and its value."""

    expr: str
    value: Any


@dataclass(frozen=True)
class Evaluation:
    """The value of an expression and the steps that led to it."""

    value: Any
    working: tuple[Step, ...]


def _power(a: Any, b: Any) -> Any:
    if abs(b) > _LARGEST_EXPONENT or abs(a) > _LARGEST_BASE:
        raise ValueError(f"{a} to the power {b} is too large to compute")
    return a**b


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_UNARY: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.Not: operator.not_}
_OPERATORS: dict[type, Callable[..., Any]] = {**_BINARY, **_UNARY}
_RECORDED: tuple[type, ...] = (int, float, str, tuple)  # values that are shown


def _require_plain(node: ast.AST, value: Any) -> None:
    """Raise LedgerError for a number that takes long to compute with or cannot be compared."""
    if isinstance(value, complex):
        raise LedgerError(f"{_quoted(node)} is not a real number")
    if isinstance(value, (int, float)) and not abs(value) <= LARGEST:  # nan is neither
        raise LedgerError(f"{_quoted(node)} is beyond {LARGEST:.0e}, or not a number")


def _quoted(node: ast.AST) -> str:
    return brief(ast.unparse(node))


def _not_allowed(node: ast.AST) -> LedgerError:
    return LedgerError(
        f"{_quoted(node)} is not allowed; an expression is arithmetic over models' figures"
    )


def _operation(node: ast.AST, symbol: ast.AST) -> Callable[..., Any]:
    """The function of an operator symbol. Raises LedgerError for one that is not allowed."""
    if type(symbol) not in _OPERATORS:
        raise _not_allowed(node)
    return _OPERATORS[type(symbol)]


def models_in(expr: str) -> tuple[str, ...]:
    """The zoo models that an expression traces, each once."""
    calls = (node for node in ast.walk(ast.parse(expr, mode="eval")) if isinstance(node, ast.Call))
    named = (
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "model" and call.args
        if isinstance(call.args[0], ast.Constant)
    )
    return tuple(dict.fromkeys(map(str, named)))


class _Evaluator:
    """One evaluation: a method for each node of the syntax tree that an expression may have."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]):
        self.functions = functions
        self.working: dict[str, Any] = {}
        self._runs = 0  # calls so far that run torch
        self._methods: dict[type, Callable[[Any], Any]] = {
            ast.Constant: self._constant,
            ast.Tuple: self._tuple,
            ast.List: self._tuple,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._boolean,
            ast.Compare: self._comparison,
            ast.Subscript: lambda node: self.value(node.value)[self.value(node.slice)],
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
        }

    def value(self, node: ast.AST) -> Any:
        """The value of a node. Raises LedgerError for one that is not allowed."""
        if type(node) not in self._methods:
            raise _not_allowed(node)
        found = self._methods[type(node)](node)
        _require_plain(node, found)
        return found

    def _constant(self, node: ast.Constant) -> Any:
        if not isinstance(node.value, (int, float, complex, str, NoneType)):
            raise _not_allowed(node)
        return node.value

    def _recorded(self, node: ast.AST, value: Any) -> Any:
        if isinstance(value, _RECORDED):
            self.working[ast.unparse(node)] = value
        return value

    def _tuple(self, node: ast.Tuple | ast.List) -> tuple[Any, ...]:
        return tuple(self.value(element) for element in node.elts)

    def _binary(self, node: ast.BinOp) -> Any:
        compute = _operation(node, node.op)
        sides = self.value(node.left), self.value(node.right)
        numbers = all(isinstance(side, (int, float)) for side in sides)
        if not numbers and not isinstance(node.op, ast.Add):
            # 'a' * 10 ** 9 and '%999999999s' % 'a' fill the memory
            raise LedgerError(f"{_quoted(node)} computes with something that is not a number")
        return compute(*sides)

    def _unary(self, node: ast.UnaryOp) -> Any:
        return _operation(node, node.op)(self.value(node.operand))

    def _boolean(self, node: ast.BoolOp) -> bool:
        values = [self.value(v) for v in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)

    def _comparison(self, node: ast.Compare) -> bool:
        compare = [_operation(node, symbol) for symbol in node.ops]
        values = [self._side(side) for side in (node.left, *node.comparators)]
        pairs = zip(compare, values[:-1], values[1:], strict=True)
        return all(holds(a, b) for holds, a, b in pairs)

    def _side(self, node: ast.expr) -> Any:
        """A side of a comparison; a ratio that is compared says how far off it is."""
        value = self.value(node)
        return self._recorded(node, value) if isinstance(node, ast.BinOp) else value

    def _name(self, node: ast.Name) -> Callable[..., Any]:
        if node.id in self.functions:
            return self.functions[node.id]
        listed = f"; there are {', '.join(self.functions)}"
        hint = suggestion(node.id, self.functions, 1) or listed
        raise LedgerError(f"unknown name {node.id!r}{hint}")

    def _attribute(self, node: ast.Attribute) -> Any:
        base = self.value(node.value)
        known = [name for name in vars(Figures) if not name.startswith("_")]
        if not isinstance(base, Figures) or node.attr not in known:
            raise LedgerError(f"unknown figure {node.attr!r}; there are {', '.join(known)}")
        return self._recorded(node, getattr(base, node.attr))

    def _call(self, node: ast.Call) -> Any:
        keywords = {k.arg: k.value for k in node.keywords if k.arg is not None}
        unpacked = any(isinstance(a, ast.Starred) for a in node.args)
        if unpacked or len(keywords) < len(node.keywords):
            raise _not_allowed(node)
        function = self.value(node.func)
        self._count_run(node.func)
        positional = [self.value(a) for a in node.args]
        return self._recorded(
            node, function(*positional, **{k: self.value(v) for k, v in keywords.items()})
        )

    def _count_run(self, function: ast.expr) -> None:
        """Raise LedgerError for one call too many that runs torch."""
        self._runs += isinstance(function, ast.Name) and function.id in RUNS
        if self._runs > MOST_RUNS:
            raise LedgerError(
                f"more than {MOST_RUNS} models and blocks in one expression; write several checks"
            )


_FAILURES = (
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RuntimeError,
    RecursionError,
    MemoryError,  # of the parser, on expressions that are nested deep
)


def evaluate(
    expression: str, functions: Mapping[str, Callable[..., Any]] | None = None
) -> Evaluation:
    """Evaluate an expression over `functions` (`FUNCTIONS` by default).

    Raises LedgerError, which quotes the expression, for a syntax error, an unknown name, anything
    but arithmetic, and for whatever fails inside."""
    if len(expression) > LONGEST:
        raise LedgerError(f"{brief(expression)} has more than {LONGEST:,} characters")
    evaluator = _Evaluator(functions or FUNCTIONS)
    try:
        value = evaluator.value(ast.parse(expression, mode="eval").body)
        if isinstance(value, Figures) or callable(value):
            raise LedgerError(
                "that is a model, not a figure; use one of its figures, such as .macs or .params"
            )
    except LedgerError as e:
        raise LedgerError(f"{e} (in {expression!r})") from None
    except SyntaxError as e:
        raise LedgerError(f"cannot read {expression!r}: {e.msg} at column {e.offset}") from None
    except _FAILURES as e:
        first = (str(e).strip().splitlines() or [""])[0]
        raise LedgerError(f"{expression!r} fails: {type(e).__name__}: {first}") from None
    return Evaluation(value, tuple(Step(k, v) for k, v in evaluator.working.items()))
