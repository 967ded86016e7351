"""Tracing one factory in several revisions, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...trace import Trace
from .child import Job
from .git import Repository, Revision, RevisionError

WORKING_TREE = "."  # the name that stands for the files as they are now
_COSTLAB = Path(__file__).resolve().parents[3]
# With -P the working folder, which is the revision's, is not searched while costlab is imported.
_CHILD = (
    "import sys; sys.path.insert(0, {root!r}); "
    "from costlab.sources.revisions import child; del sys.path[0]; child.main(*sys.argv[1:])"
)


@dataclass(frozen=True)
class _Running:
    """A process that traces a revision; `revision` is None for the working tree, `answer` the file
    for what went wrong."""

    revision: Revision | None
    process: subprocess.Popen[str]
    output: Path
    answer: Path

    def __str__(self) -> str:
        return str(self.revision or "the working tree")


def trace_revisions(
    names: Sequence[str],
    model: str,
    *,
    inputs: Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    device: str = "auto",
    train: bool = False,
    folder: str | os.PathLike[str] = ".",
) -> list[Trace]:
    """The traces of one factory in several revisions of the repository that `folder` is in.

    Args:
        names: branches, tags or commits; "." is the working tree as it is.
        model: path/file.py:factory or package.module:factory, from `folder`.
        inputs, arguments: as `costlab.load` takes them.
        device, train: where to run, and whether with the backward pass.

    Each revision is in a temporary worktree while its process runs; all run at the same time.

    Raises RevisionError, one line that names the revision."""
    here = Path(folder).resolve()
    repository = Repository(here)
    job = Job(
        model=_from_folder(model, here, repository.top),
        inputs=inputs,
        arguments=arguments or {},
        device=device,
        train=train,
    )
    revisions = [None if n == WORKING_TREE else repository.resolve(n) for n in names]
    traces = _in_worktrees(job, here, repository, revisions)
    _note_what_is_not_committed(repository, revisions, traces)
    return traces


def _in_worktrees(
    job: Job, here: Path, repository: Repository, revisions: Sequence[Revision | None]
) -> list[Trace]:
    """The trace of a job in each revision (None: the working tree), which has a worktree and a
    process of its own. None is left running, and no worktree is left."""
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="costlab-")))
        trees = [
            stack.enter_context(repository.checked_out(revision)) if revision else None
            for revision in revisions
        ]
        running: list[_Running] = []
        try:
            for number, (revision, tree) in enumerate(zip(revisions, trees, strict=True)):
                files = scratch / str(number)
                files.mkdir()
                place, placed = here, job
                if revision and tree:
                    place = _same_folder(tree, here, repository.top, revision)
                    placed = _placed(job, tree, repository.top)
                running.append(_start(revision, place, placed, files))
            return [_finish(r) for r in running]
        finally:
            for r in running:
                _stop(r.process)


def _note_what_is_not_committed(
    repository: Repository, revisions: Sequence[Revision | None], traces: Sequence[Trace]
) -> None:
    """A note on the trace of the checked-out commit, where the working tree is another by now."""
    if not any(revisions) or not repository.modified:
        return
    head = repository.resolve("HEAD").commit
    for revision, trace in zip(revisions, traces, strict=True):
        if revision and revision.commit == head:
            trace.provenance["notes"] = [
                *trace.notes,
                "changes of the working tree that are not committed are not counted; use . "
                "instead of the revision to count them",
            ]


def _from_folder(model: str, here: Path, top: Path) -> str:
    """The factory's name from the working folder, so that it means the revision's file.

    Raises RevisionError for what has no revisions."""
    home, colon, factory = model.rpartition(":")
    if not colon or not home or not factory:
        raise RevisionError(
            f"{model!r} is not a factory in this repository; write path/file.py:factory or "
            "package.module:factory"
        )
    if not os.path.isabs(home):
        return model
    path = Path(home).resolve()
    if not path.is_relative_to(top):
        raise RevisionError(f"{home} is not in the repository {top}, so it has no revisions")
    return f"{os.path.relpath(path, here)}:{factory}"


def _same_folder(tree: Path, here: Path, top: Path, revision: Revision) -> Path:
    """The folder of a revision's worktree that stands for the working folder."""
    inside = here.relative_to(top)
    if not (tree / inside).is_dir():
        raise RevisionError(f"at {revision} there is no folder {inside}")
    return tree / inside


def _placed(job: Job, tree: Path, top: Path) -> Job:
    """The job for a worktree: which folders come first, and which modules must not be imported."""
    searched = [Path(p).resolve() for p in sys.path if p and "site-packages" not in p]
    mine = [p.relative_to(top) for p in searched if p.is_relative_to(top)]
    paths = dict.fromkeys([*(tree / p for p in mine), tree, tree / "src"])
    return replace(job, paths=tuple(str(p) for p in paths if p.is_dir()), foreign=str(top))


def _start(revision: Revision | None, place: Path, job: Job, files: Path) -> _Running:
    written, output, answer = files / "job", files / "trace", files / "answer"
    written.write_text(job.as_text(), encoding="utf-8")
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-c", _CHILD.format(root=str(_COSTLAB))),
            *(str(written), str(output), str(answer)),
        ],
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # what the user's code prints is no part of the result
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return _Running(revision, process, output, answer)


def _stop(process: subprocess.Popen[str]) -> None:
    """End a process that still runs, because another revision failed or the user interrupted."""
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stderr:
        process.stderr.close()


def _finish(running: _Running) -> Trace:
    """The trace of a process when it has ended; raises RevisionError with what it said."""
    _, errors = running.process.communicate()
    if not running.answer.exists():
        lines = [line for line in errors.splitlines() if line.strip()]
        ended = f"the process ended with code {running.process.returncode}"
        raise RevisionError(f"at {running}: {(lines or [ended])[-1]}")
    if failed := running.answer.read_text(encoding="utf-8"):
        raise RevisionError(f"at {running}: {failed}")
    trace = Trace.load(running.output)
    trace.provenance["revision"] = str(running)
    return trace
