"""What is built from the repository: its metadata, and what a user gets who installs it."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import costlab

ROOT = Path(__file__).parents[1]
TRACE = ROOT / "reports/measurements/googlenet.h100.fp32.nchw.1x3x224x224.trace"


def run(*command, cwd, **variables):
    """The output of a command that must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(wheel, sdist), built from a copy of what git has, so that no build folder stays."""
    pytest.importorskip("build")
    if not (ROOT / ".git").exists():
        pytest.skip("needs git")
    copy = tmp_path_factory.mktemp("source")
    tracked = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in tracked.rstrip("\0").split("\0"):
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "-q", "--no-isolation", "-o", str(out), cwd=copy)
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """A folder with the wheel unpacked by pip, and nothing else."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    run(*pip, "--target", str(target), str(built[0]), cwd=target)
    return target


@pytest.mark.slow
def test_the_wheel_holds_the_data_the_types_and_the_licence(built):
    names = zipfile.ZipFile(built[0]).namelist()
    for source in ("costlab/reference/papers", "costlab/reference/architectures"):
        for file in (ROOT / source).iterdir():
            if file.suffix in (".toml", ".csv"):
                assert f"{source}/{file.name}" in names
    for file in (ROOT / "costlab/render/assets").iterdir():
        assert f"costlab/render/assets/{file.name}" in names
    assert "costlab/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests", "typings", "benchmarks"))]


@pytest.mark.slow
def test_the_sdist_holds_what_it_is_built_from(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "CHANGELOG.md", "CITATION.cff", "README.md"} <= names
    assert "costlab/py.typed" in names and not any(name.startswith("tests") for name in names)


@pytest.mark.slow
def test_the_metadata_says_who_under_which_licence_and_on_what(built):
    wheel = zipfile.ZipFile(built[0])
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    metadata = wheel.read(name).decode()
    for line in (
        f"Version: {costlab.__version__}",
        "License-Expression: MIT",
        "Author: The costlab maintainers",
        "Requires-Python: >=3.11",
        "Classifier: Typing :: Typed",
    ):
        assert line in metadata.splitlines()


@pytest.mark.slow
def test_the_installed_wheel_prints_googlenets_table(installed, tmp_path):
    code = "import costlab.cli, sys; print(costlab.__file__); sys.exit(costlab.cli.main())"
    said = run(
        *(sys.executable, "-c", code, "table", "googlenet"), cwd=tmp_path, PYTHONPATH=str(installed)
    )
    first, _, table = said.partition("\n")
    assert Path(first).is_relative_to(installed)
    assert "inception (3a)" in table and "convention paper" in table


NO_TORCH = """
import sys

sys.modules["torch"] = None  # as if it were not installed
from costlab.cli import main
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv", [["table"], ["memory"], ["roofline"], ["compare", str(TRACE)]], ids=lambda argv: argv[0]
)
def test_the_light_install_renders_a_saved_trace_without_torch(installed, tmp_path, argv):
    said = run(
        *(sys.executable, "-c", NO_TORCH, *argv, str(TRACE)),
        cwd=tmp_path,
        PYTHONPATH=str(installed),
    )
    assert said.startswith("googlenet")


def test_the_citation_and_the_changelog_name_this_version():
    assert f"version: {costlab.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert costlab.__version__ in (ROOT / "CHANGELOG.md").read_text()


MAKE = pytest.mark.skipif(
    subprocess.run(["make", "--version"], capture_output=True).returncode != 0, reason="needs make"
)


@pytest.fixture
def makefile(tmp_path):
    """A folder with the Makefile and what its first targets depend on."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


@MAKE
def test_make_says_which_python_it_needs(makefile):
    old = script(makefile / "old", '[ "$1" = -V ] && echo "Python 3.10.4" || exit 1\n')
    done = subprocess.run(
        ["make", "table", f"PYTHON={old}"], cwd=makefile, capture_output=True, text=True
    )
    assert done.returncode == 2 and not (makefile / ".venv").exists()
    assert "needs Python 3.11 or newer, and" in done.stderr and "3.10.4" in done.stderr


@MAKE
def test_make_makes_a_stale_environment_again(makefile):
    script(makefile / ".venv/bin/python", "exit 1\n")
    (makefile / ".venv/.installed").touch()
    done = subprocess.run(["make", "-n", "table"], cwd=makefile, capture_output=True, text=True)
    assert ".venv has no Python of 3.11 or newer and is made again" in done.stdout
    assert "-m venv .venv" in done.stdout and not (makefile / ".venv").exists()


@MAKE
@pytest.mark.parametrize(
    "report, options, code",
    [
        ('{"name": "torch"}, {"name": "nvidia-cublas"}', [], 2),
        ('{"name": "torch"}, {"name": "nvidia-cublas"}', ["CUDA=1"], 0),
        ('{"name": "torch"}, {"name": "sympy"}', [], 0),
    ],
    ids=["CUDA build", "CUDA build, asked for", "CPU build"],
)
def test_make_takes_the_cuda_build_only_when_told_to(makefile, report, options, code):
    """pip is a stand-in that says what it would install, and logs what it installs."""
    script(
        makefile / ".venv/bin/python",
        'case "$*" in\n'
        '  "-c import torch") exit 1 ;;\n'
        f"  *--dry-run*) echo '{report}' ;;\n"
        '  *"pip install"*) echo "$*" >> installed ;;\n'
        "esac\n",
    )
    done = subprocess.run(
        ["make", ".venv/.installed", *options], cwd=makefile, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    assert (makefile / "installed").exists() == (code == 0)
    assert ("make CUDA=1" in done.stderr) == (code == 2)
