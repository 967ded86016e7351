"""One piece of work over many configurations."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from ...sources import SourceError
from ...trace import TraceError
from . import notes as said
from .engines import DIED, Engine
from .journal import Journal, key, key_without_versions
from .result import Configuration, Outcome, Sweep

Work = Callable[[Configuration], dict[str, Any]]


def run(
    configurations: Iterable[Configuration],
    work: Work,
    *,
    engine: Engine | None = None,
    jobs: int = 1,
    journal: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    axes: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Sweep:
    """`work` of every configuration.

    Args:
        work: importable by name, so that processes can run it; gives numbers by name, or raises.
        engine: makes a `concurrent.futures` executor (`local(jobs)`, `dask(address)`); None runs
            here, one after the other.
        jobs: configurations in flight at a time.
        journal: a file that takes each outcome as it comes; what it holds is not run again, unless
            it failed. Outcomes of other versions (`MADE_OF` of a configuration) are left, with a
            note.
        progress: called with (done, of).

    Raises JournalError for a journal that cannot be read or written."""
    every = {key(c): c for c in configurations}
    with Journal(journal) if journal else contextlib.nullcontext() as stream:
        known = _known(stream)
        old = _of_another_version(known, every)
        todo = [c for k, c in every.items() if k not in known]
        done = len(every) - len(todo)

        def note(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            known[key(outcome.configuration)] = outcome
            if stream:
                stream.write(outcome)
            if progress:
                progress(done, len(every))

        _run(todo, work, engine, jobs, note)
    left = [said.of_another_version(old)] if old else []
    return Sweep(tuple(axes), tuple(known[k] for k in every), (*notes, *left))


def _run(
    todo: Sequence[Configuration],
    work: Work,
    engine: Engine | None,
    jobs: int,
    note: Callable[[Outcome], None],
) -> None:
    if engine is not None and todo:
        _Parallel(work, engine, jobs, note).run(todo)
        return
    for configuration in todo:
        note(_outcome(work, configuration))


def _known(journal: Journal | None) -> dict[str, Outcome]:
    """The outcomes that need not be run again; what failed may have been for lack of memory."""
    found = journal.outcomes if journal else {}
    return {k: outcome for k, outcome in found.items() if outcome.result is not None}


def _of_another_version(known: dict[str, Outcome], wanted: Mapping[str, Configuration]) -> int:
    """How many outcomes are of a configuration that is wanted, and of other versions."""
    missing = {key_without_versions(c) for c in wanted.values()}
    missing -= {key_without_versions(c) for k, c in wanted.items() if k in known}
    return sum(key_without_versions(o.configuration) in missing for o in known.values())


def _outcome(work: Work, configuration: Configuration) -> Outcome:
    """What a configuration gives; one that fails is a result."""
    try:
        return Outcome(configuration, work(configuration))
    except (Exception, SystemExit) as e:
        text = (str(e).strip().splitlines() or [""])[0]
        of_costlab = isinstance(e, (SourceError, TraceError))
        reason = text if of_costlab else f"{type(e).__name__}: {text}".rstrip(": ")
        return Outcome(configuration, None, reason)


class _Parallel:
    """Keeps `jobs` configurations in flight.

    A worker that dies takes its pool with it: a new one is made, and those that were in flight run
    one by one, so that the one at fault is known."""

    def __init__(self, work: Work, engine: Engine, jobs: int, note: Callable[[Outcome], None]):
        self._work, self._engine, self._jobs, self._note = work, engine, jobs, note
        self._pool = engine()
        self._flying: dict[Future[Outcome], Configuration] = {}
        self._suspects: list[Configuration] = []

    def run(self, configurations: Sequence[Configuration]) -> None:
        """Run them all. What stops the sweep ends what is running too."""
        waiting = list(configurations)
        try:
            while waiting or self._suspects or self._flying:
                whole = self._fill(waiting)
                if (broken := self._collect()) or not whole:
                    self._recover(broken)
        except BaseException:
            self._pool.abandon()
            raise
        self._pool.shutdown()

    def _fill(self, waiting: list[Configuration]) -> bool:
        """Give the pool work; False where it broke meanwhile."""
        limit = 1 if self._suspects else self._jobs
        while (waiting or self._suspects) and len(self._flying) < limit:
            queue = self._suspects or waiting
            try:
                future = self._pool.submit(_outcome, self._work, queue[0])
            except BrokenProcessPool:
                return False
            self._flying[future] = queue.pop(0)
        return True

    def _collect(self) -> list[Configuration]:
        """Take what is done; returns the configurations whose pool broke."""
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        broken: list[Configuration] = []
        for future in done:
            configuration = self._flying.pop(future)
            try:
                outcome = future.result()
            except BrokenProcessPool:
                broken.append(configuration)
                continue
            except Exception as e:  # what a cluster says of a worker that was lost
                outcome = Outcome(configuration, None, f"{DIED} ({type(e).__name__})")
            self._note(outcome)
        return broken

    def _recover(self, broken: list[Configuration]) -> None:
        """Go on with a new pool. Of one that broke every future is done, those with a result
        among them."""
        while self._flying:
            broken += self._collect()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._engine()
        if len(broken) == 1:
            self._note(Outcome(broken[0], None, DIED))
        else:
            self._suspects = [*broken, *self._suspects]
