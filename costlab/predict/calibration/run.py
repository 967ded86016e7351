"""`costlab calibrate`: measure a device within a stated time, so that what is done is kept."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from ..._narrow import StrPath
from ..._version import __version__
from ...measure import ceilings
from ...measure.device import DTYPES, Device, find_device
from ...measure.progress import Progress
from ...measure.refusals import in_one_line
from ..device_file import read_calibration, write_calibration
from ..device_record import Calibration, DeviceFacts, Point
from ..kernels import Kernel
from ..prediction import ProfileError
from .calls import Store
from .design import Conditions, cases, usual_conditions
from .journal import Case, Done, Journal, journal_of, part_of, read_journal
from .limits import Limits, release_memory
from .steadiness import Steadiness
from .timing import time_kernel
from .whole import time_network

NETWORK_EVERY = 20  # kernels, one network of random layers at most
NETWORKS_SHARE = 0.3  # of the time, at most
_HOST_TRIES = 5
GIVE_UP = 30  # failures in a row: the device's context is lost


@dataclass(frozen=True)
class Plan:
    """What to measure. `real`: gives kernels that networks have for one image -> how often they
    have them, which takes a while; `conditions`: pairs of dtype and layout; `seconds`: how long
    measuring may take."""

    real: Callable[[], Mapping[Kernel, int]]
    conditions: Sequence[Conditions]
    seconds: float


def calibrate(
    path: StrPath,
    plan: Plan,
    *,
    device: str = "auto",
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Calibration:
    """Measure a device and write its file. What was measured is written also when the run is
    interrupted; while it runs it is in a journal beside the file.

    Args:
        path: of the device file.
        device: "cuda", "cpu" or "auto".
        resume: continue with what the file, or its journal, has.
        progress: called with a `Progress` after every kernel.
        clock: seconds that pass.

    Raises MeasureError for a device that is not to be had; ProfileError where there is a
    file already, or one of another device; OSError where it cannot be written."""
    place = find_device(device)
    facts, done, journal = _begin(place, path, resume)
    run = _Run(place, plan, journal, done, progress, clock, Steadiness(place, clock))
    try:
        real = plan.real()
        with torch.inference_mode():
            run.measure(real)
    finally:
        journal.run(done.host, done.seconds)
        journal.close()
        clocks = {**facts.clocks, **run.steadiness.clocks()}
        calibration = done.calibration(replace(facts, clocks=clocks))
        write_calibration(calibration, path)
        os.unlink(part_of(path))
    return calibration


def _begin(device: Device, path: StrPath, resume: bool) -> tuple[DeviceFacts, Done, Journal]:
    """The journal, and what was done before."""
    part, here = part_of(path), _facts(device)
    there = [file for file in (part, os.fspath(path)) if os.path.exists(file)]
    if there and not resume:
        raise ProfileError(
            f"there is a calibration in {there[0]}; continue it with `resume`, or name another file"
        )
    if not there:
        return here, Done(), Journal(part, here)
    if there[0] == part:
        facts, done = read_journal(part)
    else:
        calibration = read_calibration(path)
        facts = calibration.facts
        _require_same(facts, here, there[0])
        done = journal_of(calibration, part)
    _require_same(facts, here, there[0])
    return facts, done, Journal(part, None)


def _require_same(before: DeviceFacts, here: DeviceFacts, file: str) -> None:
    """Refuse to mix measurements of two devices, or of two versions of torch."""
    if (before.device, before.torch) != (here.device, here.torch):
        raise ProfileError(
            f"{file} was measured on {before.device} with torch {before.torch}, and this is "
            f"{here.device} with torch {here.torch}; name another file"
        )


def _facts(device: Device) -> DeviceFacts:
    described = {k: v for k, v in device.describe().items() if v is not None}
    name = str(described.pop("device"))
    return DeviceFacts(
        device=name,
        kind=device.kind,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        torch=torch.__version__,
        costlab=__version__,
        cache=device.cache_bytes(),
        machine={k: v for k, v in described.items() if isinstance(v, (str, int, float))},
        clocks=dict(device.sample()),
        notes=tuple(device.notes),
    )


@dataclass
class _Run:
    """One run of measuring."""

    device: Device
    plan: Plan
    journal: Journal
    done: Done
    progress: Callable[[Progress], None] | None
    clock: Callable[[], float]
    steadiness: Steadiness
    stores: dict[str, Store] = field(default_factory=dict[str, Store])
    in_networks: float = 0.0  # seconds that networks took

    def measure(self, real: Mapping[Kernel, int]) -> None:
        """Everything, until the time is over; `real` as the plan gives it."""
        self.begun, self.before = self.clock(), self.done.seconds
        self.limits = Limits(self.device)
        one = self._store(self.plan.conditions[0][0]).values(1)
        # the least of several: the first calls load what a device needs
        self.done.host = min(
            self.device.issue_seconds(lambda: torch.relu(one), 1) for _ in range(_HOST_TRIES)
        )
        failed = 0
        for step, case in enumerate(self._cases(real)):
            if self._left() <= 0 or failed >= GIVE_UP:
                break
            failed = 0 if self._kernel(case) else failed + 1
            release_memory(self.device)
            if step % NETWORK_EVERY == NETWORK_EVERY - 1:
                self._network_in_time()
            self._tell()
        self._note_time()

    def _cases(self, real: Mapping[Kernel, int]) -> Iterator[Case]:
        """The cases that were not measured before, and that the device can be asked for."""
        known = self.done.cases
        for case in cases(real, self.plan.conditions, self.device.kind):
            kernel, dtype, _ = case
            if self._left() <= 0:
                return
            if case not in known and self.limits.allow(kernel, dtype, self._store(dtype).size):
                yield case

    def _kernel(self, case: Case) -> bool:
        """Measure one kernel; whether that was possible."""
        kernel, dtype, layout = case
        begun = self.clock()
        try:
            with ceilings.precision(dtype):
                warm, cold = self.steadiness.undisturbed(
                    lambda: time_kernel(
                        self.device,
                        kernel,
                        self._store(dtype),
                        channels_last=layout == "channels-last",
                        fetching=self.limits.fetching(kernel, dtype),
                    )
                )
        except Exception as e:  # kernels fail in many ways, and each costs only itself
            why = _reason(e)
            self.done.failures[case] = why
            self.journal.failure(case, why)
            return False
        point = Point(kernel, dtype, layout, warm, cold)
        self.limits.learn(kernel, dtype, warm.median, self.clock() - begun)
        self.done.points.append(point)
        self.journal.point(point)
        self._note_time()
        return True

    def _network_in_time(self) -> None:
        """A network, unless networks took more than their share so far."""
        begun = self.clock()
        if self.in_networks <= NETWORKS_SHARE * (begun - self.begun):
            self._network()
            self.in_networks += self.clock() - begun

    def _network(self) -> None:
        """Measure one network of random layers: under the usual conditions in turn, and each
        fourth time under all of them in turn."""
        seed = len(self.done.networks) + len(self.done.failed_networks)
        usual = usual_conditions(self.plan.conditions, self.device.kind)
        often = usual if seed % 4 else self.plan.conditions
        dtype, layout = often[(seed // 4 if often is not usual else seed) % len(often)]
        try:
            with ceilings.precision(dtype):
                network = self.steadiness.undisturbed(
                    lambda: time_network(self.device, seed, dtype, layout)
                )
        except Exception as e:  # as above
            why = f"a network: {_reason(e)}"
            self.done.failed_networks.append(why)
            return self.journal.failure(None, why)
        self.done.networks.append(network)
        self.journal.network(network)

    def _store(self, dtype: str) -> Store:
        if dtype not in self.stores:
            size = self.limits.store_size(dtype)
            self.stores[dtype] = Store(self.device.kind, DTYPES[dtype], size)
        return self.stores[dtype]

    def _left(self) -> float:
        """Seconds."""
        return self.plan.seconds - (self.clock() - self.begun)

    def _note_time(self) -> None:
        self.done.seconds = self.before + self.clock() - self.begun

    def _tell(self) -> None:
        if self.progress:
            left = max(0.0, self._left())
            text = f"{len(self.done.points):,} kernels, {len(self.done.networks):,} networks"
            self.progress(Progress(text, 1 - left / self.plan.seconds, left))


def _reason(error: BaseException) -> str:
    """Why a kernel was not measured, short."""
    return in_one_line(error)[:200]
