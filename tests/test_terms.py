"""The words that users read, against the list in docs/terms.md."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TERMS = ROOT / "docs/terms.md"
# after "that is no": a comparison, which is plain English
COMPARED = r"(?! (?:longer|more|less|such|\w+er)\b)"


def avoided() -> dict[str, str]:
    """Each phrase of the second table, and what to write instead."""
    _, _, table = TERMS.read_text().partition("## Not to use\n")
    rows = re.findall(r"^\| ([a-z][^|]*) \| ([^|]*) \|$", table, re.M)
    return {phrase: write for phrases, write in rows[1:] for phrase in phrases.split(", ")}


AVOIDED = avoided()


def as_pattern(phrase: str) -> str:
    """A phrase as whole words, also at the begin of a sentence."""
    first, rest = phrase[0], phrase[1:]
    return rf"\b[{first}{first.upper()}]{rest}{COMPARED if phrase.endswith(' no') else ''}\b"


PATTERN = re.compile("|".join(map(as_pattern, sorted(AVOIDED, key=len, reverse=True))))


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that users can meet: strings of several words, f-strings with {} for
    their values. Docstrings are left out; docs/api.md has the public ones."""
    tree = ast.parse(path.read_text())
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
        text = None
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value if id(node) not in inside else None
        if text and " " in text.strip():
            yield node.lineno, text


def found_in(text: str) -> list[str]:
    """The phrases of a text that are on the list."""
    return [m[0] for m in PATTERN.finditer(re.sub(r"\s+", " ", text))]


PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "reports/*.toml", "costlab/reference/*.toml", "*.yml")
    for path in ROOT.glob(pattern)
    if path != TERMS
)
MODULES = sorted((ROOT / "costlab").rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_messages(path):
    said = [(line, f) for line, text in strings(path) for f in found_in(text)]
    assert said == [], [f"{line}: write {AVOIDED[f[0].lower() + f[1:]]!r}" for line, f in said]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_pages(path):
    assert [(f, AVOIDED[f[0].lower() + f[1:]]) for f in found_in(path.read_text())] == []


def test_the_notebook():
    cells = json.loads((ROOT / "docs/tutorial.ipynb").read_text())["cells"]
    assert [f for c in cells if c["cell_type"] == "markdown" for f in found_in(str(c))] == []


@pytest.mark.parametrize(
    "text, found",
    [
        ("a file that is no trace", ["that is no"]),
        ("a value that is no longer there", []),
        ("a bar that is no wider than its box", []),
        ("the dearest\nblocks", ["dearest"]),
        ("one line per model; a line about it", []),
        ("a row a layer", ["a row a"]),
        ("a worker died for\n    want of memory", ["for want of"]),
        ("hold its grid, heading, aliked", []),
    ],
)
def test_a_phrase_is_found_across_lines_and_not_in_other_words(text, found):
    assert found_in(text) == found


def test_the_list_is_read_whole():
    assert AVOIDED["dearest"] == AVOIDED["dear"] == "expensive, more expensive, most expensive"
    assert AVOIDED["texts"] == "strings" and AVOIDED["belongs to tracing"].startswith("apply")
