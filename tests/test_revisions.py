"""One factory in several git revisions: each traced from its own files, the user's tree untouched,
one line for each that cannot be had. Real repositories and real commits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import costlab
from costlab.sources.revisions import RevisionError, trace_revisions

BACKBONE = """\
from torch import nn
from blocks import KERNEL

def build({arguments}):
    return nn.Sequential(nn.Conv2d({channels}, 8, KERNEL, padding=KERNEL // 2, bias=False))
"""
INPUT = ["1x3x8x8"]


def git(folder, *arguments, **environment):
    return subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def commit(folder, message, **files):
    """Write files ("__" for "/") and commit them."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Tags in order: empty (no factory), three and five (kernels), renamed (an argument of the
    factory), grey (one channel), broken (it does not import)."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q", "-b", "main")
    plain = BACKBONE.format(arguments="", channels=3)
    versions = {
        "empty": {"README": "# nothing\n"},
        "three": {"nets__backbone": plain, "nets__blocks": "KERNEL = 3\n"},
        "five": {"nets__blocks": "KERNEL = 5\n"},
        "renamed": {"nets__backbone": BACKBONE.format(arguments="depth=1", channels=3)},
        "grey": {"nets__backbone": BACKBONE.format(arguments="", channels=1)},
        "broken": {"nets__blocks": "import no_such_module\n"},
    }
    for tag, files in versions.items():
        commit(folder, tag, **files)
        git(folder, "tag", tag)
    git(folder, "checkout", "-q", "five")
    git(folder, "branch", "-f", "main")
    git(folder, "checkout", "-q", "main")
    return folder


def macs(folder, *names, model="nets/backbone.py:build", **options):
    traces = trace_revisions(names, model, inputs=INPUT, folder=folder, **options)
    return [costlab.total(t).macs for t in traces]


# 64 positions, 3 -> 8 channels: 64 * 24 * k * k
THREE, FIVE, SEVEN = (64 * 24 * k * k for k in (3, 5, 7))


def test_each_revision_is_traced_from_its_own_files_and_nothing_changes(repository):
    before = git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")
    traces = trace_revisions(
        ["three", "HEAD"], "nets/backbone.py:build", inputs=INPUT, folder=repository
    )
    assert [costlab.total(t).macs for t in traces] == [THREE, FIVE]
    short = [git(repository, "rev-parse", f"{r}^{{commit}}")[:7] for r in ("three", "HEAD")]
    named = [t.provenance.get("revision") for t in traces]
    assert named == [f"three ({short[0]})", f"HEAD ({short[1]})"]
    assert before == (
        git(repository, "status", "--porcelain"),
        git(repository, "rev-parse", "HEAD"),
    )
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert not list((repository / "nets").glob("__pycache__"))


@pytest.mark.slow
def test_the_working_tree_counts_with_what_is_not_committed(repository):
    blocks = repository / "nets/blocks.py"
    blocks.write_text("KERNEL = 7\n")
    try:
        assert macs(repository, "HEAD", ".") == [FIVE, SEVEN]
        assert blocks.read_text() == "KERNEL = 7\n"
    finally:
        git(repository, "checkout", "-q", "--", ".")


@pytest.mark.slow
def test_from_a_folder_inside_and_inside_a_hook(repository, monkeypatch):
    """Git tells its hooks which repository they are of, and a hook of checkouts must not run."""
    hook = repository / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\ntouch ../ran\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository / ".git/index"))
    try:
        found = macs(repository / "nets", "three", "five", model="backbone.py:build")
    finally:
        hook.unlink()
    assert found == [THREE, FIVE]
    assert not list(repository.rglob("ran"))


@pytest.mark.slow
def test_temporary_files_may_lie_in_the_repository(repository, monkeypatch):
    """A revision's own modules are then in the user's tree, and are still its own."""
    temporary = repository / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert macs(repository, "three", "HEAD") == [THREE, FIVE]
    assert not list(temporary.iterdir())
    temporary.rmdir()


@pytest.mark.slow
def test_a_detached_head_and_a_package_under_src(tmp_path, monkeypatch):
    """The user has the package installed in place: its folder is on the path."""
    git(tmp_path, "init", "-q")
    commit(tmp_path, "one", src__mine____init__="", src__mine__net="K = 3\n")
    net = "from torch import nn\n\ndef build():\n    return nn.Conv2d(3, 8, {k}, bias=False)\n"
    commit(tmp_path, "two", src__mine__net=net.format(k=3))
    commit(tmp_path, "three", src__mine__net=net.format(k=1))
    git(tmp_path, "checkout", "-q", "--detach", "HEAD")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'src'}:{os.environ.get('PYTHONPATH', '')}")
    assert macs(tmp_path, "HEAD~1", "HEAD", model="mine.net:build") == [36 * 24 * 9, 64 * 24]


@pytest.mark.slow
def test_a_module_from_the_users_tree_is_refused(tmp_path):
    """Two versions must never be mixed: a path that the code sets itself leads to the user's."""
    git(tmp_path, "init", "-q")
    code = (
        f"import sys\nsys.path.insert(0, {str(tmp_path / 'lib')!r})\n"
        + "import helper\n"
        + "from torch import nn\n\ndef build():\n    return nn.Conv2d(3, 8, 3)\n"
    )
    commit(tmp_path, "one", net=code, lib__helper="")
    with pytest.raises(RevisionError, match=r"^at HEAD .*: helper was imported from your working"):
        macs(tmp_path, "HEAD", model="net.py:build")


@pytest.mark.parametrize(
    "names, options, says",
    [
        (["no-such"], {}, r"there is no git revision 'no-such' here"),
        (["--all"], {}, r"'--all' is not a revision"),
        (["empty"], {}, r"at empty \(\w{7}\): no file nets/backbone\.py"),
        pytest.param(
            ["broken"], {}, r"at broken \(\w{7}\): .*no_such_module", marks=pytest.mark.slow
        ),
        pytest.param(["grey"], {}, r"at grey \(\w{7}\): .*1x3x8x8", marks=pytest.mark.slow),
        pytest.param(
            ["five"],
            {"arguments": {"depth": 1}},
            r"at five \(\w{7}\): .*depth",
            marks=pytest.mark.slow,
        ),
        (["five"], {"model": "googlenet"}, r"'googlenet' is not a factory in this repository"),
        (["five"], {"model": "/etc/net.py:build"}, r"/etc/net\.py is not in the repository"),
        pytest.param(
            ["five"],
            {"model": "nets/backbone.py:bild"},
            r"no callable 'bild'; did you mean build\?",
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_what_cannot_be_traced_is_one_line(repository, names, options, says):
    with pytest.raises(RevisionError, match=says) as e:
        macs(repository, *names, **options)
    assert "\n" not in str(e.value)
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.slow
def test_the_file_of_an_absolute_path_is_that_of_the_revision(repository):
    model = f"{repository / 'nets/backbone.py'}:build"
    assert macs(repository, "three", model=model) == [THREE]


def test_a_branch_of_a_remote_and_a_shallow_clone(repository, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    shallow = tmp_path / "shallow"
    git(shallow, "checkout", "-q", "--detach")
    git(shallow, "branch", "-qD", "main")
    with pytest.raises(RevisionError, match=r"'main' here; did you mean origin/main\?"):
        macs(shallow, "main")
    with pytest.raises(RevisionError, match=r"clone is shallow; get the history with `git fetch"):
        macs(shallow, "HEAD~1")


def test_no_repository(tmp_path):
    with pytest.raises(RevisionError, match="not a git repository"):
        macs(tmp_path, "HEAD")


def test_no_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent / "nowhere"))
    with pytest.raises(RevisionError, match="needs git, which is not installed"):
        macs(repository, "HEAD")
