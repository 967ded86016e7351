"""The GitHub Action: its steps, run in order as GitHub runs them, with real commits and a stub of
the GitHub CLI that keeps comments in a file."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from selection import slow_but

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]

# (1, 3, 32, 32): 3*8*9*1024 = 221,184 MACs, then 8*`width`*9*1024: 589,824 for 8 filters
BACKBONE = """
from torch import nn

def build(width=8):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Conv2d(8, width, 3, padding=1, bias=False)
    )
"""

# `gh api` with what the action uses of it: pages of comments, one array after another, and an
# error where a comment is too long or the token may not write
GH = f"""#!{sys.executable}
import json, os, re, sys

def fail(message, code):
    print(json.dumps({{"message": message, "status": str(code)}}))
    sys.exit(f"gh: {{message}} (HTTP {{code}})")

if not os.environ.get("GH_TOKEN"):
    sys.exit("gh: To use GitHub CLI in a workflow, set the GH_TOKEN environment variable.")
state = os.environ["STUB_COMMENTS"]
comments = json.load(open(state))
api, path, *options = sys.argv[1:]
assert api == "api"
method = next((o.split("=")[1] for o in options if o.startswith("--method=")), "GET")
number = re.fullmatch(r"repos/team/nets/issues/7/comments(\\?per_page=100)?", path)
one = re.fullmatch(r"repos/team/nets/issues/comments/(\\d+)", path)
if method == "GET":
    assert number and "--paginate" in options
    print(json.dumps(comments[:2]) + json.dumps(comments[2:]))
    sys.exit()
if os.environ["GH_TOKEN"] == "read-only":
    fail("Resource not accessible by integration", 403)
assert "--input=-" in options
body = json.load(sys.stdin)["body"]
if len(body) > 65536:
    fail("Validation Failed: body is too long (maximum is 65536 characters)", 422)
if method == "POST" and number:
    comments.append({{"id": 100 + len(comments), "body": body}})
elif method == "PATCH" and one:
    next(c for c in comments if c["id"] == int(one[1]))["body"] = body
else:
    fail("Not Found", 404)
json.dump(comments, open(state, "w"))
"""
OTHERS = [
    {"id": 1, "body": "<!-- costlab diff of another model -->"},
    {"id": 2, "body": None},
    {"id": 3, "body": "> <!-- costlab diff -->\nquoted"},
]


def git(folder, *words):
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", *identity, *words],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


class Project:
    """A repository `team/nets` with a pull request, and what a runner has."""

    def __init__(self, folder):
        self.folder = folder
        self.origin = folder / "origin"
        self.clone = folder / "clone"
        self.commands = folder / "commands"
        (self.origin / "nets").mkdir(parents=True)
        git(self.origin, "init", "-q", "-b", "main")
        self.base = self.commit(BACKBONE)
        git(self.origin, "checkout", "-q", "-b", "wider")
        self.commands.mkdir()
        (self.commands / "gh").write_text(GH)
        (self.commands / "gh").chmod(0o755)
        (self.commands / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (self.commands / "python").chmod(0o755)
        (folder / "comments.json").write_text(json.dumps(OTHERS))

    def commit(self, text):
        """Write nets/backbone.py and commit it."""
        (self.origin / "nets" / "backbone.py").write_text(text)
        git(self.origin, "add", "-A")
        git(self.origin, "commit", "-q", "-m", "a commit")
        return git(self.origin, "rev-parse", "HEAD")

    def checkout(self):
        """What actions/checkout leaves: one commit and nothing of the base."""
        shutil.rmtree(self.clone, ignore_errors=True)
        git(
            self.folder, "clone", "-q", "--depth=1", "-b", "wider", f"file://{self.origin}", "clone"
        )

    @property
    def comments(self):
        return json.loads((self.folder / "comments.json").read_text())[len(OTHERS) :]

    def run(self, token="write", event=None, action=ROOT, env=None, **given):
        """The steps in order, until one fails; see `Run`."""
        pull_request = {"number": 7, "base": {"sha": self.base}}
        github = {
            "event": {"pull_request": pull_request} if event is None else event,
            "token": token,
            "action_path": str(action),
        }
        contexts = {"github": github, "steps": {}}
        defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        given = {name.replace("_", "-"): value for name, value in given.items()}
        contexts["inputs"] = {
            name: filled(value, contexts) for name, value in {**defaults, **given}.items()
        }
        return Run(self, contexts, env or {})


class Run:
    """One run of the action: `code` of the step that ended it, what it printed, and its summary."""

    def __init__(self, project, contexts, env):
        self.code, self.log, self.summary, self.ran = 0, "", "", []
        self.contexts = contexts
        for step in STEPS:
            if "if" in step and not condition(step["if"], contexts):
                continue
            self.ran.append(step["name"])
            self.code = self._step(project, step, env)
            if self.code:
                break

    def _step(self, project, step, env):
        """Run a step with the files and variables that GitHub gives it."""
        assert step["shell"] == "bash"
        files = project.folder / "runner"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        for name in ("script.sh", "output", "summary"):
            (files / name).touch()
        (files / "script.sh").write_text(step["run"])
        variables = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GITHUB", "GH_"))},
            "PATH": f"{project.commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(project.folder),
            "GITHUB_OUTPUT": str(files / "output"),
            "GITHUB_STEP_SUMMARY": str(files / "summary"),
            "GITHUB_REPOSITORY": "team/nets",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_RUN_ID": "42",
            "STUB_COMMENTS": str(project.folder / "comments.json"),
            **{k: filled(v, self.contexts) for k, v in step.get("env", {}).items()},
            **env,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", files / "script.sh"],
            cwd=project.clone / filled(step.get("working-directory", ""), self.contexts),
            env=variables,
            capture_output=True,
            text=True,
        )
        self.log += done.stdout + done.stderr
        self.summary += (files / "summary").read_text()
        outputs = dict(x.split("=", 1) for x in (files / "output").read_text().splitlines())
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}
        return done.returncode


def value(path, contexts):
    """A context's value; "" for what is not there, as on GitHub."""
    found = contexts
    for name in path.split("."):
        found = found.get(name, "") if isinstance(found, dict) else ""
    return found


def filled(text, contexts):
    """A text with its expressions, each of which is a path."""
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda m: str(value(m[1], contexts)), text)


def condition(text, contexts):
    """Whether all terms hold: a path that is not empty, or one that is equal to a text."""
    for term in text.split(" && "):
        path, equal, literal = term.partition(" == ")
        found = value(path, contexts)
        if str(found) != literal.strip("'") if equal else not found:
            return False
    return True


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def workflow_of_the_guide():
    """The workflow of the guide on pull requests."""
    guide = (ROOT / "docs" / "how-to" / "pull-requests.md").read_text()
    section = guide[guide.index("## GitHub Action\n") :]
    return yaml.safe_load(re.search(r"```yaml .*?\n(.*?)```", section, re.S)[1])


def inputs_of_the_guide():
    steps = workflow_of_the_guide()["jobs"]["cost"]["steps"]
    return next(s["with"] for s in steps if "/costlab@" in s.get("uses", ""))


@pytest.mark.slow
def test_a_pull_request_has_one_comment_that_is_updated(project):
    """The guide's workflow: a commit that meets no limit, then one that meets a limit."""
    inputs = {**inputs_of_the_guide(), "input": "1x3x32x32"}
    project.commit(BACKBONE.replace("build(width=8)", "build(width=8, name='net')"))
    project.checkout()
    first = project.run(**inputs)
    assert (first.code, first.ran) == (0, [s["name"] for s in STEPS])
    (posted,) = project.comments
    assert posted["body"].startswith("<!-- costlab diff ")
    assert posted["body"].endswith(first.summary)

    # 221,184 + 8*16*9*1024 = 1,400,832 MACs for 811,008: +72.73%
    project.commit(BACKBONE.replace("width=8", "width=16"))
    project.checkout()
    second = project.run(**inputs)
    assert second.code == 1 and second.contexts["steps"]["diff"]["outputs"]["exit-code"] == "1"
    said = "macs 811.01K -> 1.40M (+72.73%25), limit: macs > +1%25"
    assert f"::error title=costlab diff::{said}\n" in second.log
    (patched,) = project.comments
    assert patched["id"] == posted["id"] and patched["body"] != posted["body"]
    assert patched["body"].endswith(second.summary)
    assert git(project.clone, "status", "--porcelain") == ""
    assert git(project.clone, "worktree", "list").count("\n") == 0


@pytest.mark.slow
def test_a_copy_in_the_repository_is_an_action_too(project):
    """`uses: ./third_party/costlab`: GitHub runs the steps from that folder."""
    project.checkout()
    copy = project.clone / "third_party" / "costlab"
    shutil.copytree(ROOT / "action", copy / "action")
    shutil.copy(ROOT / "action.yml", copy)
    found = project.run(model="nets/backbone.py:build", input="1x3x32x32", action=copy)
    assert (found.code, found.ran) == (0, [s["name"] for s in STEPS])
    assert len(project.comments) == 1


@pytest.mark.slow
def test_a_base_that_cannot_be_traced_is_said_in_the_comment_and_fails(project):
    project.checkout()
    found = project.run(model="nets/backbone.py:missing", input="1x3x32x32")
    assert found.code == 2
    assert "::error title=costlab diff::" in found.log and "Traceback" not in found.log
    (posted,) = project.comments
    assert "could not compare the two revisions" in posted["body"]
    assert "\n    at " in posted["body"] and "missing" in posted["body"]
    assert posted["body"].endswith(found.summary)


@pytest.fixture
def compared(project, monkeypatch):
    """A project in which `costlab diff` has a report that is there, so that no model is traced."""
    project.checkout()

    def run(markdown, **options):
        stub = project.folder / "costlab"
        shutil.rmtree(stub, ignore_errors=True)
        stub.mkdir()
        (stub / "__init__.py").touch()
        (project.folder / "report.md").write_text(markdown)
        (stub / "__main__.py").write_text(
            "import os, shutil, sys\n"
            "out = next(a for a in sys.argv if a.startswith('--output='))\n"
            "shutil.copy(os.environ['STUB_REPORT'], out.partition('=')[2])\n"
            "print(sys.argv[1:])\n"
        )
        env = {"PYTHONPATH": str(project.folder), "STUB_REPORT": str(project.folder / "report.md")}
        return project.run(env=env, **{"model": "nets/backbone.py:build", **options})

    return run


def test_a_long_report_is_cut_to_what_a_comment_holds(project, compared):
    line = "| " + "é" * 100 + " |\n"
    report = "# Change\n<details>\n" + line * 1000 + "</details>\nthe end\n"
    found = compared(report)
    body = project.comments[0]["body"]
    assert found.code == 0 and found.summary == report
    assert 65_000 < len(body.encode()) <= 65_536
    assert body.endswith(
        f"{line}\n</details>\n\nThis is the first part of it; "
        "[all](https://github.com/team/nets/actions/runs/42).\n"
    )


def test_a_summary_is_cut_to_what_github_takes(compared):
    found = compared("x" * 99 + "\n" + ("y" * 99 + "\n") * 12_000)
    assert 1_048_000 < len(found.summary.encode()) <= 1_048_576
    assert found.summary.endswith("y\n\nThis is the first part of it.\n")


def test_a_fork_has_no_comment_and_a_summary(project, compared):
    found = compared("the report\n", token="read-only")
    assert (found.code, found.summary, project.comments) == (0, "the report\n", [])
    assert "::warning title=costlab diff::no comment: the token may not comment (gh: " in found.log
    assert "Resource not accessible by integration (HTTP 403)" in found.log


def test_without_the_github_cli_there_is_a_warning(project, compared):
    (project.commands / "gh").write_text("#!/bin/sh\nexit 127\n")
    found = compared("the report\n")
    assert found.code == 0 and "::warning title=costlab diff::no comment: gh failed;" in found.log


def test_each_model_and_input_has_a_comment_of_its_own(project, compared):
    for width in ("128", "256", "128"):
        compared("the report\n", input=f"1x3x{width}x{width}")
    assert len(project.comments) == 2


@pytest.mark.parametrize(
    "options", [{"comment": "false"}, {"event": {"ref": "main"}, "base": "HEAD"}]
)
def test_no_comment_where_it_is_not_asked_for_or_there_is_no_pull_request(
    project, compared, options
):
    found = compared("the report\n", **options)
    assert (found.code, project.comments) == (0, []) and "Comment" not in found.ran


@pytest.mark.slow
def test_costlab_is_installed_where_it_is_not_there(project):
    """Into an environment without it; what it depends on comes from that of the tests, so that
    nothing is downloaded."""
    packages = Path(yaml.__file__).parent.parent
    if (packages / "costlab").exists():
        pytest.skip("costlab is installed in the environment of the tests")
    action = project.folder / "action"
    action.mkdir()
    for name in ("action.yml", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, action)
    shutil.copytree(ROOT / "action", action / "action")
    shutil.copytree(ROOT / "costlab", action / "costlab")
    bare = project.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    (project.commands / "python").write_text(f'#!/bin/sh\nexec "{bare}/bin/python" "$@"\n')
    project.checkout()
    # pip reads 0 as "no isolation"
    env = {"PYTHONPATH": str(packages), "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    found = project.run(model="nets/backbone.py:build", base="", action=action, env=env)
    assert "Successfully installed costlab" in found.log and "no base" in found.log
    (command,) = bare.glob("bin/costlab")
    shown = subprocess.run([command, "--version"], env={**os.environ, **env}, capture_output=True)
    assert shown.stdout.startswith(b"costlab ")


def test_outside_a_pull_request_a_base_must_be_named(compared):
    found = compared("the report\n", event={"ref": "main"})
    assert found.code == 2 and "::error title=costlab diff::no base" in found.log


def test_options_are_arguments_line_by_line(project, compared):
    found = compared(
        "the report\n", input="1x3x8x8\n\n  mask=1x8:int64\n", arg="width=8", fail_on="macs > +1%\n"
    )
    shown = re.search(r"^\['diff'.*", found.log, re.M)[0]
    assert shown == str(
        [
            "diff",
            "--model=nets/backbone.py:build",
            "--input=1x3x8x8",
            "--input=mask=1x8:int64",
            "--arg=width=8",
            "--fail-on=macs > +1%",
            "--format=md",
            f"--output={project.folder}/costlab-diff.md",
            "--",
            project.base,
            "HEAD",
        ]
    )


@pytest.mark.parametrize(
    "name", slow_but(("model", "input"), ["model", "base", "head", "input", "fail_on", "arg"])
)
def test_an_input_is_never_run(project, compared, name):
    file = project.folder / "ran"
    compared("the report\n", **{name: f"x\"; touch {file}; $(touch {file}) `touch {file}` '"})
    compared("the report\n", **{name: f"--upload-pack=touch {file}"})
    assert not file.exists()


def test_no_script_has_an_expression_in_it():
    assert ACTION["runs"]["using"] == "composite"
    assert all("${{" not in step["run"] and step["shell"] == "bash" for step in STEPS)
    tokens = [s["name"] for s in STEPS if "inputs.token" in str(s.get("env"))]
    assert tokens == ["Comment"]


def test_the_workflow_of_the_readme_names_inputs_of_the_action():
    workflow = workflow_of_the_guide()
    assert set(inputs_of_the_guide()) <= set(ACTION["inputs"])
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert workflow[True] == "pull_request"  # YAML 1.1 reads the key `on` as true
