"""The arguments of a public function, checked against its signature before it runs.

Names and types are read from the signature, so that there is no second list of them. A type that
is not in `_TYPES`, such as `Model`, is left to the function, which knows more about it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from .._narrow import is_list_or_tuple
from .._spelling import suggestion
from ..predict import Rate
from ..trace import Trace
from ..trace.record import Op

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Parameter = inspect.Parameter


@dataclass(frozen=True)
class _Type:
    """A type that an annotation names: what it is called for one value and for several."""

    fits: Callable[[Any], bool]
    one: str
    several: str = ""


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_number(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind) and not isinstance(value, bool)


_TYPES = {
    "None": _Type(lambda value: value is None, "None"),
    "bool": _Type(_is(bool), "True or False"),
    "int": _Type(_is_number(Integral), "an integer", "integers"),
    "float": _Type(_is_number(Real), "a number", "numbers"),
    "str": _Type(_is(str), "a string", "strings"),
    "os.PathLike": _Type(_is(os.PathLike), "a path", "paths"),
    "StrPath": _Type(lambda value: isinstance(value, (str, os.PathLike)), "a path", "paths"),
    "Mapping": _Type(_is(Mapping), "a dict", "dicts"),
    "Callable": _Type(callable, "a function", "functions"),
    "Trace": _Type(_is(Trace), "a trace, which costlab.trace gives", "traces"),
    "AnyProfile": _Type(
        lambda value: isinstance(value, (str, os.PathLike)) or hasattr(value, "predict"),
        "a profile, its file or the name of a device",
    ),
    "AnyRate": _Type(
        lambda value: isinstance(value, Rate) or _is_number(Real)(value),
        "a number",
    ),
    "Op": _Type(_is(Op), "an operation of the trace", "operations of the trace"),
}
_LISTS = ("Sequence", "Iterable")


def public(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """`function` with its arguments checked: a TypeError of one line for one that is not known, is
    missing or has the wrong type."""

    @functools.wraps(function)
    def checked(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        __tracebackhide__ = True  # pytest shows the caller's line, and not this one
        signature = _signature(function)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            raise TypeError(_misfit(function.__name__, signature, args, kwargs)) from None
        for name, value in bound.arguments.items():
            _require(function.__name__, signature.parameters[name], value)
        return function(*args, **kwargs)

    return checked


@functools.cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _misfit(
    function: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Why these arguments do not fit a signature."""
    parameters = signature.parameters
    for name in kwargs:
        if name not in parameters:
            near = suggestion(name, parameters) or f"; it takes {', '.join(parameters)}"
            return f"costlab.{function} has no argument {name!r}{near}"
    positional = [n for n, p in parameters.items() if p.kind is _Parameter.POSITIONAL_OR_KEYWORD]
    by_name = [n for n, p in parameters.items() if p.kind is _Parameter.KEYWORD_ONLY]
    if twice := [name for name in positional[: len(args)] if name in kwargs]:
        return f"costlab.{function} was given {twice[0]} twice, by position and by name"
    missing = [
        name
        for name in (*positional[len(args) :], *by_name)
        if parameters[name].default is _Parameter.empty and name not in kwargs
    ]
    if missing:
        return f"costlab.{function} needs {' and '.join(missing)}"
    takes = f"only {', '.join(positional)}" if positional else "nothing"
    others = f"; give the others by name, such as {by_name[0]}=..." if by_name else ""
    return f"costlab.{function} takes {takes} by position{others}"


def _require(function: str, parameter: inspect.Parameter, value: Any) -> None:
    """Raise TypeError for a value that no type of the parameter fits."""
    values: Iterable[tuple[str, Any]] = [(parameter.name, value)]
    if parameter.kind is parameter.VAR_POSITIONAL:
        values = [(parameter.name, one) for one in value]
    elif parameter.kind is parameter.VAR_KEYWORD:
        values = value.items()
    types = _types(str(parameter.annotation))
    for name, one in values:
        if types and not any(found.fits(one) for found in types):
            takes = " or ".join(found.one for found in types)
            raise TypeError(f"costlab.{function}: {name} takes {takes}, not {_shown(one)}")


@functools.cache
def _types(annotation: str) -> tuple[_Type, ...]:
    """The types that an annotation names; none where one of them is not known here."""
    found = [_type(node) for node in _alternatives(ast.parse(annotation, mode="eval").body)]
    known = tuple(one for one in found if one is not None)
    return known if len(known) == len(found) else ()


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """A and B of A | B."""
    if isinstance(node, ast.BinOp):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


def _type(node: ast.expr) -> _Type | None:
    if not isinstance(node, ast.Subscript):
        return _TYPES.get(ast.unparse(node))
    name = ast.unparse(node.value)
    if name not in _LISTS:
        return _TYPES.get(name)
    element = _type(node.slice)
    if element is None:
        return None
    words = f"a list of {element.several}"
    return _Type(lambda value: _is_list_of(element, value), words, f"lists of {element.several}")


def _is_list_of(element: _Type, value: object) -> bool:
    """Whether a value can be read as a list; a string is not one. What can be read only once is
    not looked into."""
    if is_list_or_tuple(value):
        return all(map(element.fits, value))
    return isinstance(value, Iterable) and not isinstance(value, str)


def _shown(value: Any) -> str:
    """A value that is short, otherwise its type."""
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    if isinstance(value, str) and len(value) <= 40:
        return repr(value)
    return type(value).__name__
