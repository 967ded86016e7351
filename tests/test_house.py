"""The shape of the house: imports point one way, the core needs torch alone."""

import ast
from pathlib import Path

import pytest

import costlab

ROOT = Path(costlab.__file__).parent
# a package may import itself and those before it; zoo stands beside (plain modules, no costlab
# import)
ORDER = [
    "trace",
    "cost",
    "measure",
    "reference",
    "predict",
    "graph",
    "tables",
    "sources",
    "analysis",
    "render",
    "report",
    "callbacks",
    "check",
    "api",
    "cli",
]
ALONE = {"zoo"}
# sources name its models; the analyses and reports make models to trace: they may ask the zoo
MAY_USE_ZOO = {"sources", "analysis", "report", "api", "cli"}
# modules beside the packages: what results can do is asked of them when they are printed or drawn
EVERYWHERE = {
    "_version",
    "_callable",
    "_result",
    "_pictures",
    "_narrow",
    "_text",
    "_documents",
    "_packed",
    "_extras",
    "_spelling",
    "_defaults",
}


def imported(file):
    """Sub-packages of costlab that a file imports, anywhere in it."""
    package = file.relative_to(ROOT.parent).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = [*base, *(node.module.split(".") if node.module else [])]
            if full[:1] == ["costlab"]:
                yield from ([full[1]] if len(full) > 1 else [a.name for a in node.names])
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("costlab."))


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("*/**/*.py")), ids=lambda f: str(f.relative_to(ROOT))
)
def test_imports_point_one_way(file):
    home = file.relative_to(ROOT).parts[0]
    for other in imported(file):
        if other in EVERYWHERE or other == home:
            continue
        if other in ALONE:
            assert home in MAY_USE_ZOO, f"{home} imports {other}"
        else:
            assert home not in ALONE, f"{home} stands alone and imports {other}"
            assert ORDER.index(other) < ORDER.index(home), f"{home} imports {other}"


def test_every_package_has_its_place():
    assert {p.parent.name for p in ROOT.glob("*/__init__.py")} <= {*ORDER, *ALONE}


# what a command may import of costlab: the public functions, what prints them, and its neighbours
OF_A_COMMAND = {
    "api",
    "render",
    "cli",
    "_version",
    "_extras",
    "_spelling",
    "_defaults",
    "_narrow",
    "_text",
}


@pytest.mark.parametrize("file", sorted((ROOT / "cli").glob("*.py")), ids=lambda f: f.name)
def test_a_command_calls_the_public_functions_and_nothing_else(file):
    assert set(imported(file)) <= OF_A_COMMAND
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 2 and node.module == "api":
            assert {a.name for a in node.names} <= set(costlab.__all__)
        named = node.value if isinstance(node, ast.Attribute) else None
        if isinstance(named, ast.Name) and named.id == "costlab":
            assert node.attr in costlab.__all__, f"costlab.{node.attr} is not public"


def test_the_public_names_stand_once():
    """`dir`, `__all__` and what type checkers see are the names of `costlab.api`."""
    from costlab import api

    assert [*costlab.__all__] == [*api.__all__, "__version__"]
    assert {*costlab.__all__} <= {*dir(costlab)}
    assert {n for n in dir(costlab) if not n.startswith("_")} == {*api.__all__}
    tree = ast.parse((ROOT / "__init__.py").read_text())
    stars = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "api"]
    assert [[a.name for a in n.names] for n in stars] == [["*"]]
    namespace = {}
    exec("from costlab import *", namespace)
    assert {*api.__all__, "__version__"} <= {*namespace}
