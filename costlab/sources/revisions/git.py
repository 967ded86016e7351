"""What is asked of git."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from .._model import SourceError


class RevisionError(SourceError):
    """A revision that cannot be had or traced; one line that names it."""


@dataclass(frozen=True)
class Revision:
    """A commit, and the `name` that the user gave it."""

    name: str
    commit: str

    def __str__(self) -> str:
        """`main (3f2c1ab)`; the name alone where it is the commit."""
        short = self.commit[:7]
        return short if self.commit.startswith(self.name) else f"{self.name} ({short})"


class Repository:
    """The git repository that a folder is in.

    Attributes:
        top: the folder of its working tree.

    Raises RevisionError where there is no git, or no repository."""

    def __init__(self, folder: Path):
        self._folder = folder
        # inside a hook these name the repository of the hook, also for a temporary worktree
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        self.top = Path(self._git("rev-parse", "--show-toplevel")).resolve()

    @property
    def modified(self) -> bool:
        """Whether tracked files have changes that are not committed."""
        return bool(self._git("status", "--porcelain", "--untracked-files=no"))

    def resolve(self, name: str) -> Revision:
        """The commit that a name stands for: a branch, a tag, HEAD~2, a hash.

        Raises RevisionError."""
        if name.startswith("-"):
            raise RevisionError(f"{name!r} is not a revision")
        try:
            commit = self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except RevisionError:
            raise RevisionError(self._unknown(name)) from None
        return Revision(name, commit)

    @contextlib.contextmanager
    def checked_out(self, revision: Revision) -> Generator[Path]:
        """A temporary worktree of a revision, removed afterwards. No hook of the repository runs.

        Raises RevisionError where git cannot make one."""
        folder = Path(tempfile.mkdtemp(prefix="costlab-"))
        tree = folder / "tree"
        try:
            self._git(
                *("-c", f"core.hooksPath={os.devnull}"),
                *("worktree", "add", "--quiet", "--detach", str(tree), revision.commit),
            )
            yield tree
        finally:
            with contextlib.suppress(RevisionError):
                self._git("worktree", "remove", "--force", str(tree))
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(RevisionError):
                self._git("worktree", "prune")

    def _unknown(self, name: str) -> str:
        """Why there is no such revision, and what to do."""
        text = f"there is no git revision {name!r} here"
        with contextlib.suppress(RevisionError):
            remotes = self._git("for-each-ref", "--format=%(refname:short)", "refs/remotes")
            near = [r for r in remotes.splitlines() if r.endswith(f"/{name}")]
            if near:
                return f"{text}; did you mean {near[0]}?"
            if self._git("rev-parse", "--is-shallow-repository") == "true":
                return (
                    f"{text}, and this clone is shallow; get the history with "
                    "`git fetch --unshallow` (fetch-depth: 0 of actions/checkout)"
                )
        return text

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise RevisionError("comparing revisions needs git, which is not installed") from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise RevisionError(
                (lines or ["it failed without a message"])[0].removeprefix("fatal: ")
            )
        return done.stdout.strip()
