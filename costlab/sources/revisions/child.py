"""What runs in the process of a revision: load, trace, save."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...trace import Trace, TraceError
from .. import load
from ..run import trace_loaded


@dataclass(frozen=True)
class Job:
    """What to trace.

    Attributes:
        model: the name of a factory, from the working folder.
        inputs, arguments: as `costlab.load` takes them.
        device: as `costlab.trace` takes it; `train`: with the backward pass.
        paths: folders of the revision that come first where modules are searched.
        foreign: the user's own working tree, which no module may come from; "" for none.
    """

    model: str
    inputs: Sequence[str] | None
    arguments: Mapping[str, Any]
    device: str
    train: bool
    paths: Sequence[str] = ()
    foreign: str = ""

    def as_text(self) -> str:
        """A literal of Python, so that arguments keep their types."""
        return repr(asdict(self))


def main(job: str, output: str, answer: str) -> None:
    """Do the job of a file; write the trace, and what went wrong in one line, "" for nothing."""
    text = Path(job).read_text(encoding="utf-8")
    failed = run(Job(**ast.literal_eval(text)), output)
    Path(answer).write_text(failed, encoding="utf-8")


def run(job: Job, output: str) -> str:
    """Trace and save; what went wrong in one line, "" for nothing."""
    sys.path[:0] = job.paths
    try:
        device = "meta" if job.device == "auto" else job.device
        loaded = load(job.model, job.inputs, arguments=job.arguments, device=device)
        if isinstance(loaded, Trace):
            return f"{job.model} is a saved trace, which has no revisions"
        trace = trace_loaded(loaded, job.device, backward=job.train)
    except (ValueError, TraceError, MemoryError, ImportError) as e:
        return (str(e) or type(e).__name__).splitlines()[0]
    with loaded.scope():  # a user's modules are there while their codebase is active
        stranger = _stranger(job)
    if stranger:
        return (
            f"{stranger} was imported from your working tree and not from the revision; install "
            "the package without -e, or run from the folder that it is in"
        )
    trace.save(output)
    return ""


def _stranger(job: Job) -> str:
    """A module that comes from the user's working tree; "" where none does."""
    if not job.foreign:
        return ""
    inside = os.path.join(job.foreign, "")
    # the environment, and the worktree itself, may lie in the user's tree
    own = tuple(os.path.join(os.path.realpath(folder), "") for folder in (sys.prefix, *job.paths))
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if not path or name.partition(".")[0] in ("costlab", "__main__"):
            continue
        file = os.path.realpath(path)
        if file.startswith(inside) and not file.startswith(own):
            return name
    return ""
