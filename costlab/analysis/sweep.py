"""One piece of work over many configurations: in parallel, resumable, and going on where one
fails."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process

from .._result import Charted
from .._version import __version__
from ..tables import Column, Sheet

_BEGINS = '{"configuration": '
DIED = "the process died, most likely for want of memory"


class JournalError(ValueError):
    """A journal that cannot be read or written; the message is one line."""


@dataclass(frozen=True)
class Outcome:
    """What one configuration gave: `result` by name, or None and the `reason`."""

    configuration: dict
    result: dict | None
    reason: str = ""


# name in a result -> (header, unit, format)
_COLUMNS = {
    "params": ("params", "params", ""),
    "macs": ("MACs", "MACs", ""),
    "activations": ("activations", "elements", ""),
    "memory": ("peak memory, estimated", "bytes", ""),
    "peak": ("peak memory, measured", "bytes", ""),
    "ms": ("time", "ms", ",.3f"),
    "low": ("time, low", "ms", ",.3f"),
    "high": ("time, high", "ms", ",.3f"),
    "rate": ("throughput", "items/s", ",.1f"),
}


@dataclass(frozen=True)
class Sweep(Charted):
    """All outcomes, in the order of the configurations; `axes` are the names that vary."""

    axes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()

    chart_kind = "sweep"

    @property
    def failed(self) -> int:
        """How many configurations gave nothing."""
        return sum(o.result is None for o in self.outcomes)

    @property
    def sheet(self) -> Sheet:
        """A row a configuration."""
        names = [
            k
            for k in _COLUMNS
            if any(o.result and o.result.get(k) is not None for o in self.outcomes)
        ]
        columns = (
            *(Column(a) for a in self.axes),
            *(Column(_COLUMNS[k][0], _COLUMNS[k][1], format=_COLUMNS[k][2]) for k in names),
            *([Column("failed")] if self.failed else ()),
        )
        rows = tuple(
            {
                **o.configuration,
                **{_COLUMNS[k][0]: (o.result or {}).get(k) for k in names},
                "failed": o.reason,
            }
            for o in self.outcomes
        )
        notes = (
            f"{len(self.outcomes)} configurations, {self.failed} failed"
            if self.failed
            else f"{len(self.outcomes)} configurations",
            *self.notes,
        )
        return Sheet("sweep", columns, rows, notes)


MADE_OF = "made of"  # of a configuration: what it was run with


def _of(configuration):
    return {k: v for k, v in configuration.items() if k != MADE_OF}


def _key(configuration: dict) -> str:
    return json.dumps(configuration, sort_keys=True)


def _read(path: str) -> dict[str, Outcome]:
    """The outcomes in a journal; a last line that was cut short is not one."""
    found = {}
    try:
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as e:
        raise JournalError(
            f"cannot read {path}: {getattr(e, 'strerror', None) or 'not UTF-8 text'}"
        ) from None
    for i, line in enumerate(lines):
        try:
            doc = json.loads(line) if line.strip() else None
            if doc is not None:
                found[_key(doc["configuration"])] = Outcome(
                    doc["configuration"], doc["result"], doc["reason"]
                )
        except (ValueError, KeyError, TypeError):
            if (
                i < len(lines) - 1
                or not _BEGINS.startswith(line[: len(_BEGINS)])
                and not line.startswith(_BEGINS)
            ):
                raise JournalError(
                    f"{path}, line {i + 1}: no line of a sweep; name another file with --journal"
                ) from None
    return found


def _started(work, configuration):
    """Run in a worker."""
    try:
        return Outcome(configuration, work(configuration))
    except (Exception, SystemExit) as e:  # a configuration that fails is a result
        text = (str(e).strip().splitlines() or [""])[0]
        return Outcome(
            configuration,
            None,
            text
            if type(e).__name__ in ("UserError", "TraceError", "MeasureError")
            else f"{type(e).__name__}: {text}".rstrip(": "),
        )


def _end_with_parent():
    """A worker whose parent is killed would wait for work for ever."""
    parent = parent_process()
    if parent is None:
        return
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def local(jobs: int) -> Callable[[], Executor]:
    """An engine of this machine's processes."""
    return lambda: ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_end_with_parent
    )


def dask(address: str | None = None) -> Callable[[], Executor]:
    """An engine of a Dask cluster: the scheduler at `address`, or a cluster of this machine.
    Raises ImportError without dask.distributed."""
    from distributed import Client

    def start():
        client = Client(address) if address else Client(processes=True, dashboard_address=None)
        return _Closing(client)

    return start


class _Closing(Executor):
    """A Dask client's executor that closes the client with it."""

    def __init__(self, client):
        self.client, self.executor = client, client.get_executor(pure=False)

    def submit(self, fn, /, *args, **kwargs):
        return self.executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.executor.shutdown(wait=wait)
        self.client.close()


def sweep(
    configurations,
    work: Callable[[dict], dict],
    *,
    engine: Callable[[], Executor] | None = None,
    jobs: int = 1,
    journal: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    axes=(),
    notes=(),
) -> Sweep:
    """`work` of every configuration.

    Args:
        work: importable by name, so that processes can run it; gives numbers by name, or raises.
        engine: makes a `concurrent.futures` executor (`local(jobs)`, `dask(address)`); None runs
        here, one after the other.
        jobs: configurations in flight at a time.
        journal: a file that takes each outcome as it comes; what it holds is not run again, unless
        it failed. Outcomes of another MADE_OF, which
            a configuration may have, are left, with a note.
        progress: called with (done, of).

    Raises JournalError for a journal that cannot be read or written."""
    configurations = list(configurations)
    known = {
        k: o for k, o in (_read(journal) if journal else {}).items() if o.result is not None
    }  # what failed may have been for lack of memory
    wanted = {_key(_of(c)) for c in configurations} - {
        _key(_of(c)) for c in configurations if _key(c) in known
    }
    if old := sum(_key(_of(o.configuration)) in wanted for o in known.values()):
        notes = (
            *notes,
            f"{old} outcomes in the journal are of another version of the model, of costlab or of "
            f"the machine, and were left",
        )
    todo = [c for c in configurations if _key(c) not in known]
    tell = progress or (lambda done, of: None)

    def note(outcome):
        known[_key(outcome.configuration)] = outcome
        if stream:
            line = json.dumps(
                {
                    "configuration": outcome.configuration,
                    "result": outcome.result,
                    "reason": outcome.reason,
                    "costlab": __version__,
                }
            )
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        tell(
            len(configurations) - len(todo) + sum(_key(c) in known for c in todo),
            len(configurations),
        )

    stream = _append(journal) if journal else None
    try:
        if engine is None:
            for c in todo:
                note(_started(work, c))
        else:
            _parallel(todo, work, engine, jobs, note)
    finally:
        if stream:
            stream.close()
    return Sweep(tuple(axes), tuple(known[_key(c)] for c in configurations), tuple(notes))


def _append(path: str):
    """The journal, open at its end; a last line that was cut short is cut off."""
    try:
        stream = open(path, "a+", encoding="utf-8")  # noqa: SIM115 the caller closes it
        stream.seek(0)
        text = stream.read()
        if text and not text.endswith("\n"):
            stream.truncate(len(text[: text.rfind("\n") + 1].encode()))
        stream.seek(0, os.SEEK_END)
        return stream
    except OSError as e:
        raise JournalError(f"cannot write {path}: {e.strerror}") from None


def _parallel(todo, work, engine, jobs, note):
    """Keep `jobs` in flight. A worker that dies takes its pool with it: a new one is made, and
    those that were in flight run one by one, so
    that the one at fault is known."""
    waiting, suspects, pool = list(todo), [], engine()
    flying: dict = {}
    try:
        while waiting or suspects or flying:
            limit = 1 if suspects else jobs
            while (waiting or suspects) and len(flying) < limit:
                c = (suspects or waiting).pop(0)
                flying[pool.submit(_started, work, c)] = c
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            broken = []
            for future in done:
                c = flying.pop(future)
                try:
                    note(future.result())
                except BrokenProcessPool:
                    broken.append(c)
                except Exception as e:  # what a cluster says of a worker that was lost
                    note(Outcome(c, None, f"{DIED} ({type(e).__name__})"))
            if broken:
                broken += flying.values()
                flying = {}
                pool.shutdown(wait=False, cancel_futures=True)
                pool = engine()
                if len(broken) == 1:
                    note(Outcome(broken[0], None, DIED))
                else:
                    suspects = [*broken, *suspects]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
