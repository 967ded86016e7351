"""ARCHITECTURE.md and CONTRIBUTING.md are true."""

import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from test_house import ORDER, ROOT

REPO = ROOT.parent
ARCHITECTURE = (REPO / "ARCHITECTURE.md").read_text()
CONTRIBUTING = (REPO / "CONTRIBUTING.md").read_text()


def test_the_packages_are_those_of_the_house_in_its_order():
    assert re.findall(r"^\| `(\w+)` \|", ARCHITECTURE, re.M) == ORDER


def test_all_of_costlab_is_checked_strictly():
    """No path is left out and no rule is turned off."""
    settings = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["basedpyright"]
    assert {**settings, "pythonVersion": ""} == {
        "pythonVersion": "",
        "typeCheckingMode": "strict",
        "include": ["action", "costlab"],
    }


def test_every_package_that_is_named_is_there():
    named = set(re.findall(r"`costlab/(\w+)/?`|`costlab/(\w+)/", ARCHITECTURE))
    packages = {first or second for first, second in named}
    assert packages and all((ROOT / name).is_dir() for name in packages)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:costlab|tests)/[\w/.]+)`", ARCHITECTURE + CONTRIBUTING)))
)
def test_every_file_that_is_named_is_there(path):
    assert (REPO / path).exists() or path == "tests/test_X.py"


# what each diff adds, and what must be true of a copy of costlab with it
CHECKS = {
    # three FLOPs for each of 2 x 3 elements
    "A formula": """
class Cross(torch.nn.Module):
    def forward(self, x):
        return torch.linalg.cross(x, x)

cost = costlab.total(costlab.trace(Cross(), torch.empty(2, 3)), strict=True)
assert (cost.macs, cost.flops) == (0, 18)
""",
    "A source of models": """
table = costlab.table("linear:784-10")
assert table.macs == 784 * 10 and table.params == 784 * 10 + 10
""",
    "A table style": """
table = costlab.table("nin", style="kinds")
assert [r.cells["type"] for r in table.rows].count("conv") == 1
assert table.macs == costlab.table("nin").macs and costlab.table("nin").style == "layers"
""",
    "An output format": """
costlab.models().save("zoo.tsv")
lines = open("zoo.tsv").read().splitlines()
assert lines[0] == "name\\tinput\\tsource" and "nin\\t1x3x224x224" in lines[1 + [
    m.name for m in costlab.models().models].index("nin")]
""",
    "An analysis": """
from costlab.analysis.operations import operations
net = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 4), torch.nn.ReLU())
result = operations(costlab.trace(net, torch.empty(1, 3)))
assert result.runs["aten.relu"] == 2 and "aten.relu" in str(result)
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("heading", CHECKS)
def test_a_diff_of_the_page_is_all_it_takes(heading, tmp_path):
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", CONTRIBUTING, re.M | re.S)
    diff = re.search(r"^```diff\n(.*?)^```", section[1], re.M | re.S)[1]
    shutil.copytree(ROOT, tmp_path / "costlab", ignore=shutil.ignore_patterns("__pycache__"))
    assert diff.count("\n") < 30
    applied = subprocess.run(
        ["git", "apply", "-"], input=diff, cwd=tmp_path, capture_output=True, text=True
    )
    assert applied.returncode == 0, applied.stderr
    code = "import costlab, torch" + CHECKS[heading] + "print(costlab.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
