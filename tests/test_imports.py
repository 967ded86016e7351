"""What costlab imports, and what works without torch."""

import subprocess
import sys

import pytest

import costlab


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """GoogLeNet's trace in a file."""
    file = tmp_path_factory.mktemp("saved") / "g.trace"
    costlab.trace("googlenet", device="meta").save(file)
    return file


def fresh(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_the_core_imports_torch_alone_and_nothing_heavy(tmp_path):
    heavy = [
        "pandas",
        "matplotlib",
        "fvcore",
        "sympy",
        "torch._dynamo",
        "rich",
        "graphviz",
        "typst",
        "transformers",
        "timm",
        "torchvision",
    ]
    code = f"""import sys
from costlab.cli import main
main(['table', 'googlenet', '-o', {str(tmp_path / "table.txt")!r}])
print([m for m in {heavy!r} if m in sys.modules])"""
    assert fresh(code).strip() == "[]"


def test_a_saved_trace_opens_without_torch(saved):
    code = f"""import sys; sys.modules['torch'] = None
from costlab.cli import main
main(['table', {str(saved)!r}, '--format', 'csv'])"""
    assert any(line.startswith("softmax,softmax,") for line in fresh(code).splitlines())


@pytest.mark.parametrize(
    "argv, code",
    [
        ("memory {f}", 0),
        ("table googlenet", 2),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                ("chart stages {f} -o {d}/y.svg", None),
                ("compare {f} {f}", 0),
                ("diagram {f} -o {d}/x.svg", 0),
                ("chart memory {f} -o {d}/x.svg", 0),
                ("report {f} -o {d}/x.html", 2),
                ("factorize {f}", 2),
                ("verify {f}", 2),
                ("claims C13", 2),
            )
        ),
    ],
)
def test_without_torch_a_command_works_or_says_so_in_one_line(argv, code, saved, tmp_path):
    hide = f"""import sys; sys.modules['torch'] = None
from costlab.cli import main
sys.exit(main({argv.format(f=saved, d=tmp_path).split()!r}))"""
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True)
    if code is not None:
        assert done.returncode == code, done.stderr
    if done.returncode:
        assert (
            done.stderr.rpartition("\r")[2].startswith(
                "costlab: this needs torch, which is not installed"
            )
            and "Traceback" not in done.stderr
        )
