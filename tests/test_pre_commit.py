"""The pre-commit hook: pre-commit itself, on real commits of a temporary repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
pytest.importorskip("pre_commit")

ROOT = Path(__file__).parent.parent

# (1, 3, 32, 32): 3*8*9*1024 = 221,184 MACs, then 8*`width`*9*1024: 589,824 for 8 filters
BACKBONE = """
from torch import nn

def build(width=8):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Conv2d(8, width, 3, padding=1, bias=False)
    )
"""
BUDGET = """
[[tool.costlab.model]]
name = "backbone"
model = "nets/backbone.py:build"
inputs = ["1x3x32x32"]
limits = ["macs <= 900K"]
"""


def git(folder, *words, check=True, **env):
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", *identity, *words],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **env},
        capture_output=True,
        text=True,
        check=check,
    )


def commit_all(folder):
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a commit")
    return git(folder, "rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="session")
def hooks(tmp_path_factory):
    """A repository with this version of costlab: where it is, and its commit."""
    folder = tmp_path_factory.mktemp("costlab-repository")
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "costlab", folder / "costlab", ignore=ignored)
    return folder, commit_all(folder)


def config_of_the_guide(hooks, **changed):
    """The configuration of the guide's section, of the repository in `hooks`."""
    guide = (ROOT / "docs" / "how-to" / "pull-requests.md").read_text()
    section = guide[guide.index("## pre-commit\n") :]
    config = yaml.safe_load(re.search(r"```yaml .*?\n(.*?)```", section, re.S)[1])
    (repo,) = config["repos"]
    repo["repo"], repo["rev"] = str(hooks[0]), hooks[1]
    repo["hooks"][0] |= changed
    return yaml.safe_dump(config)


class Team:
    """A repository with a model, its budget and the hook."""

    def __init__(self, folder, config, python_path):
        self.folder = folder / "team"
        (self.folder / "nets").mkdir(parents=True)
        commands = folder / "commands"
        commands.mkdir()
        (commands / "costlab").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m costlab "$@"\n')
        (commands / "costlab").chmod(0o755)
        self.env = {
            "PRE_COMMIT_HOME": str(folder / "pre-commit"),
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": python_path,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        (self.folder / ".pre-commit-config.yaml").write_text(config)
        (self.folder / "pyproject.toml").write_text(BUDGET)
        self.write("nets/backbone.py", BACKBONE)
        commit_all(self.folder)
        install = [sys.executable, "-m", "pre_commit", "install"]
        env = {**os.environ, **self.env}
        subprocess.run(install, cwd=self.folder, env=env, check=True, capture_output=True)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def commit(self):
        """Commit all: whether the hook let it, and what it printed."""
        git(self.folder, "add", "-A")
        before = git(self.folder, "rev-parse", "HEAD").stdout
        done = git(self.folder, "commit", "-m", "a change", check=False, **self.env)
        committed = git(self.folder, "rev-parse", "HEAD").stdout != before
        assert committed == (done.returncode == 0)
        return committed, done.stdout + done.stderr


@pytest.mark.slow
def test_a_commit_that_breaks_a_budget_is_refused(tmp_path, hooks):
    team = Team(tmp_path, config_of_the_guide(hooks), str(ROOT))

    team.write("notes.md", "Nothing that the hook is about.\n")
    committed, said = team.commit()
    assert committed and re.search(r"costlab check\.+\(no files to check\)Skipped", said)

    # 221,184 + 8*16*9*1024 = 1,400,832 MACs
    team.write("nets/backbone.py", BACKBONE.replace("width=8", "width=16"))
    committed, said = team.commit()
    assert not committed and re.search(r"costlab check\.+Failed", said)
    assert "macs <= 900K" in said and "1.40M" in said

    # 221,184 + 8*9*9*1024 = 884,736 MACs
    team.write("nets/backbone.py", BACKBONE.replace("width=8", "width=9"))
    committed, said = team.commit()
    assert committed and re.search(r"costlab check\.+Passed", said)


@pytest.mark.slow
def test_pre_commit_installs_costlab_itself(tmp_path, hooks):
    """As `.pre-commit-hooks.yaml` has it, in an environment of its own; what costlab depends on
    comes from the environment of this test, so that nothing is downloaded."""
    packages = Path(yaml.__file__).parent.parent
    if (packages / "costlab").exists():
        pytest.skip("costlab is installed in the environment of the tests")
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    config = config_of_the_guide(hooks, language="python", additional_dependencies=offline)
    team = Team(tmp_path, config, str(packages))
    (tmp_path / "commands" / "costlab").unlink()
    team.write("nets/backbone.py", BACKBONE.replace("width=8", "width=16"))
    committed, said = team.commit()
    assert not committed and "macs <= 900K" in said and "Failed" in said
    (installed,) = (tmp_path / "pre-commit").glob("*/py_env-*/bin/costlab")
    assert f"{installed.parent}/python" in installed.read_text().split("import")[0]


def test_the_hook_is_about_python_and_budgets():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    files = ["nets/a.py", "pyproject.toml", "sub/pyproject.toml", "costlab.lock", "a.pyi", "a.md"]
    assert [f for f in files if re.search(hook["files"], f)] == files[:4]
