"""The reference that is generated from the code, as Markdown.

    python docs/_tools/reference.py

writes docs/api.md, and the part of pages such as those in docs/commands that stands between
`<!-- options -->` and `<!-- end of options -->`. tests/test_docs.py compares both with the code.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from costlab import api  # noqa: E402  of this checkout
from costlab.cli import _parser  # noqa: E402
from costlab._result import Charted, Drawn, Result  # noqa: E402

DOCS = ROOT / "docs"
COMMANDS, API = DOCS / "commands", DOCS / "api.md"
# groups of options that many commands have: the page that shows them, and how a command names them
SHARED = {
    "Model and inputs": ("models.md", "How the model is called"),
    "Language models of transformers": ("language-models.md", "Language models"),
    "Predicted time": ("how-to/predict-time.md", "Predicted time"),
    "Output": ("output.md", "Formats and files"),
    "Shape of the table": ("shape.md", "Columns, names and units"),
    "Progress and errors": ("commands/index.md", "Messages"),
}
_DRAWN = ((Charted, "chart"), (Drawn, "diagram"))
_INSIDE = {"sheet", "drawings", "chart_numbers"}  # what renderers ask of every result
START, END = "<!-- options -->\n", "<!-- end of options -->\n"

# the public names by what a user asks; a test holds that each stands here once
SECTIONS = {
    "Models and traces": ("load", "trace", "models", "Trace", "Loaded", "MODEL_FORMS"),
    "What a model costs": [
        "summary",
        "table",
        "total",
        "cost_of",
        "profile",
        "memory",
        "phases",
        "training",
        "verify",
        "formula",
        "CONVENTIONS",
    ],
    "What changes": ["compare", "variants", "diff", "what_if", "sweep"],
    "Budgets": ("check", "assert_cost"),
    "Where cost can be saved": [
        "factorize",
        "rules",
        "grid",
        "reductions",
        "bottleneck",
        "head",
        "aux",
        "probe",
    ],
    "Measured time": ["measure", "roofline", "times", "savings"],
    "Predicted time": ["calibrate", "predict", "load_profile", "profiles"],
    "Papers": ["audit", "audit_all", "study", "claims", "results", "pareto"],
    "Pictures": ["diagram", "fields", "mixing", "mlpconv", "saturation", "towers"],
    "Documents and other tools": ("report", "export", "doctor"),
    "Errors": ("SourceError", "TraceError", "TraceFileError"),
}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    return dict(_parser.parsers()[1])


def options(parser: argparse.ArgumentParser) -> str:
    """Usage and options of a command: a table a group, and a line for a group that a page of its
    own shows."""
    parts = [f"Usage: `{_usage(parser)}`\n"]
    for title, actions in _groups(parser):
        if title in SHARED:
            names = ", ".join(f"`{a.option_strings[-1]}`" for a in actions if a.option_strings)
            page, words = SHARED[title]
            parts += (
                [_rows(found)] if (found := [a for a in actions if not a.option_strings]) else []
            )
            parts.append(f"{words}: {names}. See [{title}](../{page}).\n")
        else:
            parts.append(f"**{title}**\n\n" + _rows(actions))
    return "\n" + "\n".join(parts) + "\n"


def shared_options(title: str) -> str:
    """The options of a group that many commands have, as `costlab table` has them."""
    found = next(actions for name, actions in _groups(parsers()["table"]) if name == title)
    return "\n" + _rows(found) + "\n"


def _groups(parser: argparse.ArgumentParser) -> Iterator[tuple[str, list[argparse.Action]]]:
    for group in parser._action_groups:  # argparse has no public way to them
        actions = [a for a in group._group_actions if not _is_help(a)]
        if actions:
            title = (group.title or "options").capitalize()
            yield ("Arguments" if title == "Positional arguments" else title), actions


def _rows(actions: Iterable[argparse.Action]) -> str:
    return "| option | what it does |\n|---|---|\n" + "".join(map(_option, actions))


def _is_help(action: argparse.Action) -> bool:
    return "--help" in action.option_strings or action.help == argparse.SUPPRESS


def _usage(parser: argparse.ArgumentParser) -> str:
    names = [_name(a) for a in parser._actions if not a.option_strings and not _is_help(a)]
    return " ".join([parser.prog, "[OPTIONS]", *names])


def _name(action: argparse.Action) -> str:
    """A positional argument as argparse writes it: MODEL, [MODEL] or MODEL [MODEL ...]."""
    shown = _value(action)
    return {"?": f"[{shown}]", "*": f"[{shown} ...]", "+": f"{shown} [{shown} ...]"}.get(
        str(action.nargs), shown
    )


def _value(action: argparse.Action) -> str:
    if action.metavar is not None:
        return " ".join(action.metavar) if isinstance(action.metavar, tuple) else action.metavar
    if action.choices:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return action.dest.upper()


def _option(action: argparse.Action) -> str:
    """A row: how the option is written, and its help."""
    value = "" if action.nargs == 0 else f" {_value(action)}"
    flags = [f"`{flag}{value}`" for flag in action.option_strings] or [f"`{_value(action)}`"]
    words = (action.help or "") % {**vars(action), "prog": ""}
    return f"| {', '.join(flags)} | {_cell(words)} |\n"


def _cell(text: str) -> str:
    for character in r"\|<*_":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def with_options(text: str, found: str) -> str:
    """A page with its options as they are now. Raises ValueError without a place for them."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"no {START.strip()} and {END.strip()} in {text[:40]!r}")
    return before + START + found + END + after


def api_page() -> str:
    """docs/api.md."""
    parts = [
        "# Python API\n",
        "<!-- generated -->\n",
        "Generated from the docstrings by `make docs-update`. Every name is one of `costlab`: "
        "`costlab.table(...)`. A model is a name as on the command line, a trace, or what "
        "`costlab.load` gives; options go by keyword.\n",
    ]
    results: dict[str, type[Any]] = {}
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in names:
            parts += _entry(name, results)
    parts.append("## Results\n")
    parts.append(_class_text("Result", Result))
    for name in sorted(results):
        parts.append(_class_text(name, results[name]))
    return "\n".join(parts)


def _entry(name: str, results: dict[str, type[Any]]) -> Iterator[str]:
    """What the page says of a public name; what functions return is added to `results`."""
    found = getattr(api, name)
    if inspect.isclass(found):
        yield _class_text(name, found)
        return
    if not inspect.isfunction(found):
        words = [found] if isinstance(found, str) else found
        yield f"### {name}\n\n{', '.join(f'`{word}`' for word in words)}\n"
        return
    yield f"### {name}\n\n```python\n{_signature(name, found)}\n```\n"
    yield _markdown(inspect.getdoc(found) or "")
    returned = _returned(found)
    if returned is not None:
        if returned.__name__ not in api.__all__:
            results[returned.__name__] = returned
        yield f"Returns [`{returned.__name__}`](#class-{returned.__name__.lower()}).\n"


def _signature(name: str, function: Any) -> str:
    """On one line where it fits in 88 characters, otherwise a line a parameter."""
    parameters = [*_parameters(inspect.signature(function))]
    line = f"costlab.{name}({', '.join(parameters)})"
    if len(line) <= 88:
        return line
    return f"costlab.{name}(\n" + "".join(f"    {p},\n" for p in parameters) + ")"


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    """Each parameter as it is written in Python, with a star before those by keyword."""
    starred = False
    for parameter in signature.parameters.values():
        starred |= parameter.kind is parameter.VAR_POSITIONAL
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        default = parameter.default
        # annotations are text here, which `str(parameter)` puts in quotes
        written = str(parameter.replace(annotation=parameter.empty, default=parameter.empty))
        written += f": {parameter.annotation}"
        if default is not parameter.empty:
            written += f' = "{default}"' if isinstance(default, str) else f" = {default!r}"
        yield written


def _returned(function: Any) -> type[Any] | None:
    """The class that a function says it returns, also where only type checkers import it."""
    name = str(inspect.signature(function).return_annotation).partition("[")[0]
    if not name.isidentifier():
        return None
    module = sys.modules[function.__module__]
    found = getattr(module, name, None) or _imported_for_types(module.__file__, name)
    return found if inspect.isclass(found) and found.__module__.startswith("costlab") else None


def _imported_for_types(file: str | None, name: str) -> Any:
    if file is None:
        return None
    package = ".".join(Path(file).relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(Path(file).read_text())):
        if isinstance(node, ast.ImportFrom) and name in {a.name for a in node.names}:
            base = "." * node.level + (node.module or "")
            return getattr(import_module(base, package), name)
    return None


def _class_text(name: str, found: type[Any]) -> str:
    """A class with what a user reads of it."""
    lines = [f"### class {name}\n", _markdown(inspect.getdoc(found) or "")]
    members = [*_members(found)]
    if members:
        lines.append("\n".join(members) + "\n")
    drawn = [f"`.{method}()`" for base, method in _DRAWN if issubclass(found, base)]
    if drawn:
        lines.append(f"It also has {' and '.join(drawn)}.\n")
    return "\n".join(lines)


def _members(found: type[Any]) -> Iterator[str]:
    """Fields, properties and methods that are public and its own."""
    if dataclasses.is_dataclass(found):
        for f in dataclasses.fields(found):
            if not f.name.startswith("_"):
                yield f"- `{f.name}: {f.type}`"
    for name, member in vars(found).items():
        if name.startswith("_") or name in _INSIDE:
            continue
        target = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        said = _first_sentence(getattr(target, "__doc__", None) or "")
        if isinstance(target, (property, functools.cached_property)):
            yield f"- `{name}`: {said}" if said else f"- `{name}`"
        elif inspect.isfunction(target):
            names = [p for p in inspect.signature(target).parameters if p not in ("self", "cls")]
            call = f"- `{name}({', '.join(names)})`"
            yield f"{call}: {said}" if said else call


def _first_sentence(text: str) -> str:
    return " ".join(re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n", text.strip())[0].split())


def _markdown(doc: str) -> str:
    """A docstring in the project's form, its arguments as a list."""
    parts: list[str] = []
    for paragraph in re.split(r"\n\s*\n", doc):
        head, _, rest = paragraph.partition("\n")
        if head in ("Args:", "Attributes:"):
            parts.append("\n".join(_items(textwrap.dedent(rest).splitlines())))
        else:
            parts.append(_prose(paragraph))
    return "\n\n".join(parts) + "\n"


def _prose(paragraph: str) -> str:
    indented = all(line.startswith("    ") for line in paragraph.splitlines() if line)
    return paragraph if indented else " ".join(paragraph.split())


def _items(lines: Sequence[str]) -> Iterable[str]:
    """`name: what it is` over several lines, each as an item."""
    items: list[str] = []
    for line in lines:
        if line.startswith(" "):
            items[-1] += " " + line.strip()
        else:
            names, _, words = line.partition(":")
            items.append(f"- `{names}`:{words}")
    return items


def pages() -> Iterator[tuple[Path, str]]:
    """Each generated page with what it should say now."""
    for name, parser in parsers().items():
        path = COMMANDS / f"{name}.md"
        yield path, with_options(path.read_text(encoding="utf-8"), options(parser))
    for title, (name, _) in SHARED.items():
        path = DOCS / name
        yield path, with_options(path.read_text(encoding="utf-8"), shared_options(title))
    yield API, api_page()


if __name__ == "__main__":
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
