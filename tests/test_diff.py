"""`costlab diff`: what changed between two versions, through the command and real commits."""

import json

import pytest
from test_revisions import commit, git

import costlab
from costlab.cli import main

NET = """\
from torch import nn

def build(kernel={kernel}):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.Conv2d(8, 8, kernel, padding=kernel // 2, bias=False),
    )
"""
# 64 positions of an 8x8 input: 3 -> 8 channels by 3x3, then 8 -> 8 by 3x3 or 5x5
STEM, THREE, FIVE = 64 * 24 * 9, 64 * 64 * 9, 64 * 64 * 25
OPTIONS = ["--model", "net.py:build", "--input", "1x3x8x8"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Tags in order: empty, three and five (kernels), moved (the factory's argument has another
    name), broken (it does not import); five is checked out."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q", "-b", "main")
    versions = {
        "empty": {"README": "# nothing\n"},
        "three": {"net": NET.format(kernel=3)},
        "five": {"net": NET.format(kernel=5)},
        "moved": {"net": NET.format(kernel=5).replace("kernel", "size")},
        "broken": {"net": "import no_such_module\n"},
    }
    for tag, files in versions.items():
        commit(folder, tag, **files)
        git(folder, "tag", tag)
    git(folder, "reset", "-q", "--hard", "five")
    return folder


@pytest.fixture
def inside(repository, monkeypatch):
    monkeypatch.chdir(repository)
    return repository


def short(folder, name):
    return git(folder, "rev-parse", "--short=7", f"{name}^{{commit}}")


@pytest.mark.parametrize(
    "limits, code, said",
    [
        ([], 0, ""),
        (["macs > +200%", "params <= 1K"], 0, ""),
        (  # (STEM + FIVE) / (STEM + THREE) = 116,224 / 50,688; FIVE / THREE = 25/9
            ["macs > +1%", "1: params > +100%", "0: macs > +1%"],
            1,
            "costlab: macs 50.69K -> 116.22K (+129.29%), limit: macs > +1%\n"
            "costlab: 1: params 576 -> 1.60K (+177.78%), limit: 1: params > +100%\n",
        ),
    ],
    ids=["no limit", "none is met", "two are met"],
)
def test_two_revisions_of_a_factory(inside, capsys, limits, code, said):
    options = [word for limit in limits for word in ("--fail-on", limit)]
    assert main(["diff", "three", "HEAD", *OPTIONS, *options, "--format", "json"]) == code
    out, err = capsys.readouterr()
    assert err == said
    found = json.loads(out)
    assert found["title"] == f"three ({short(inside, 'three')}) to HEAD ({short(inside, 'HEAD')})"
    assert [r["block"] for r in found["rows"]] == ["1"]
    assert found["total"]["MACs base (MACs)"] == STEM + THREE
    assert found["total"]["MACs head (MACs)"] == STEM + FIVE


def test_the_working_tree_and_what_is_not_committed(inside, capsys):
    """HEAD against the files as they are: they differ, and a note says that HEAD is without."""
    net = inside / "net.py"
    net.write_text(NET.format(kernel=3))
    try:
        change = costlab.diff("HEAD", ".", model="net.py:build", inputs="1x3x8x8")
    finally:
        git(inside, "checkout", "-q", "--", ".")
    assert (change.base, change.head) == (f"HEAD ({short(inside, 'HEAD')})", "the working tree")
    assert change.macs == (STEM + FIVE, STEM + THREE)
    notes = [n for n in change.sheet.notes if "not committed" in n]
    assert len(notes) == 1 and notes[0].startswith(change.base)


def test_models_and_traces(repository, tmp_path, capsys):
    """Without --model each side is a model or a trace."""
    net = f"{repository / 'net.py'}:build"
    saved = tmp_path / "three.trace"
    three = costlab.load(net, ["1x3x8x8"], arguments={"kernel": 3})
    costlab.trace(three).save(saved)
    change = costlab.diff(saved, three)
    assert change.macs == (STEM + THREE, STEM + THREE) and not change.failed
    assert main(["diff", str(saved), str(saved), "--fail-on", "macs > +0"]) == 0
    assert main(["diff", net, net, *OPTIONS[2:], "--arg", "kernel=1", "--fail-on", "macs > 1"]) == 1


@pytest.mark.parametrize(
    "argv, says",
    [
        (["no-such", "HEAD", *OPTIONS], "git knows no revision 'no-such' here"),
        (["empty", "HEAD", *OPTIONS], "at empty ({empty}): no file net.py"),
        (["broken", "HEAD", *OPTIONS], "at broken ({broken}): "),
        (["moved", "HEAD", *OPTIONS, "--arg", "kernel=3"], "at moved ({moved}): "),
        (["three", "HEAD", *OPTIONS[:3], "1x4x8x8"], "at three ({three}): "),
        (["three", "HEAD", "--model", "googlenet"], "'googlenet' is no factory of this repository"),
        (["three", "HEAD", *OPTIONS, "--fail-on", "macs > 1%"], "'macs > 1%': a percentage is"),
        (["three", "HEAD"], "unknown model 'three'"),
    ],
    ids=lambda v: "" if isinstance(v, str) else " ".join(v[:2]),
)
def test_what_cannot_be_compared_is_one_line(inside, capsys, argv, says):
    assert main(["diff", *argv]) == 2
    out, err = capsys.readouterr()
    tags = {tag: short(inside, tag) for tag in ("empty", "three", "moved", "broken")}
    assert not out and err.startswith(f"costlab: {says.format(**tags)}") and err.count("\n") == 1


def test_a_shallow_clone_and_no_repository(repository, tmp_path, monkeypatch, capsys):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert main(["diff", "HEAD~1", "HEAD", *OPTIONS]) == 2
    assert "clone is shallow" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["diff", "HEAD~1", "HEAD", *OPTIONS]) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_revisions_are_names():
    with pytest.raises(TypeError, match="takes the names of two git revisions, not Trace"):
        costlab.diff(costlab.trace("nin"), "HEAD", model="net.py:build")
