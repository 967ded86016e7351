"""Measure what the reports speak of, on the device in hand, into reports/measurements/.

Networks at batch 1 and 32, both sides of each factorization rule, the grid-reduction schemes; the
most useful first. What is measured already on this device is left; delete a file to measure it
again. Needs torch, numpy and costlab alone.

Each case runs in a worker process. One that fails, hangs or loses the device's context costs only
itself: the next case starts in a fresh worker.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from costlab import zoo  # noqa: E402 costlab need not be installed
from costlab.analysis.factorize import REWRITES, RULES, Conv, build, slug  # noqa: E402
from costlab.analysis.grid import schemes  # noqa: E402
from costlab.measure import MeasureError, measure  # noqa: E402
from costlab.measure.device import find_device  # noqa: E402
from costlab.measure.naming import LAYOUTS, RunName, device_slug, words  # noqa: E402
from reports.review import backbone  # noqa: E402

NETWORKS = ("googlenet", "alexnet", "vgg16", "resnet50", "inception_v2", "inception_v3")
GRID, BATCH = 28, 32  # of the factorization pairs
WIDTHS = (64, 256)
SECONDS_A_CASE = 120  # after which a worker is given up
RESERVE = 10  # seconds that are left when the last case starts


@dataclass(frozen=True)
class Case:
    """A model to measure: `make()` builds it; `shape` of its input, with the batch."""

    model: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    dtype: str = "fp32"
    channels_last: bool = False

    def file(self, device: str) -> str:
        """The name of the trace, measured on a device of that name."""
        layout = LAYOUTS["channels-last" if self.channels_last else "contiguous"]
        shape = "x".join(map(str, self.shape))
        return RunName(words(self.model), device_slug(device), self.dtype, layout, shape).file


def cases() -> Iterator[Case]:
    """All cases, the most useful first."""
    yield from _networks(1, "fp32", False)
    yield from _review("fp32", False)
    yield from _review("bf16", True)
    for width, dtype, channels_last in (
        (WIDTHS[0], "fp32", False),
        (WIDTHS[1], "bf16", True),
        (WIDTHS[1], "fp32", False),
        (WIDTHS[0], "bf16", True),
    ):
        yield from _rules(width, dtype, channels_last)
        if width == WIDTHS[0]:
            yield from _grid_reductions(dtype, channels_last)
    yield from _networks(BATCH, "bf16", True)
    yield from _networks(BATCH, "bf16", False)


def _networks(batch: int, dtype: str, channels_last: bool) -> Iterator[Case]:
    for name in NETWORKS:
        shape = (batch, *zoo.input_shape(name)[1:])
        yield Case(name, lambda name=name: zoo.build(name), shape, dtype, channels_last)


def _review(dtype: str, channels_last: bool) -> Iterator[Case]:
    """The worked design review: the base and both proposals."""
    for make in (backbone.base, backbone.asymmetric, backbone.narrow):
        name = f"backbone.py:{make.__name__}"
        yield Case(name, make, (BATCH, 3, 224, 224), dtype, channels_last)


def _rules(width: int, dtype: str, channels_last: bool) -> Iterator[Case]:
    shape, seen = (BATCH, width, GRID, GRID), set()
    for kernel, rewrite, name in RULES:
        conv = Conv(width, width, (kernel, kernel), padding=(kernel // 2, kernel // 2))
        mid = REWRITES[rewrite].default_mid(conv)
        before, after = slug(name)
        if before not in seen:
            seen.add(before)
            yield Case(before, conv.build, shape, dtype, channels_last)

        def make(conv=conv, rewrite=rewrite, mid=mid):
            return build(conv, rewrite, mid)

        yield Case(after, make, shape, dtype, channels_last)


def _grid_reductions(dtype: str, channels_last: bool) -> Iterator[Case]:
    for name, make in schemes(35, 320, 640):
        yield Case(slug(name)[0], make, (BATCH, 320, 35, 35), dtype, channels_last)


def work(pipe: Connection, device: str, folder: str) -> None:
    """A worker: takes the indices of cases, answers with what came of each."""
    known = list(cases())
    while True:
        case = known[pipe.recv()]
        torch.manual_seed(0)
        try:
            trace = measure(
                case.make(),
                torch.randn(case.shape),
                device=device,
                dtype=case.dtype,
                channels_last=case.channels_last,
                spec=case.model,
            )
            if case.model in zoo.names():  # what a trace of the name would say of itself
                trace.provenance["source"] = zoo.names()[case.model]
            trace.save(Path(folder) / RunName.of(trace).file)
            took = trace.measured.total.median if trace.measured else 0.0
            pipe.send((True, f"{1e3 * took:.3f} ms"))
        except Exception as e:  # whatever it is, the parent tells it and goes on
            pipe.send((False, f"{type(e).__name__}: {(str(e).splitlines() or [''])[0]}"))


class Worker:
    """A process that measures one case after another."""

    def __init__(self, device: str, folder: Path):
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=work, args=(end, device, str(folder)), daemon=True)
        self.process.start()
        end.close()

    def measure(self, index: int, seconds: float) -> tuple[bool, str]:
        """Whether the case was measured, and what is to say of it."""
        try:
            self.pipe.send(index)
            if self.pipe.poll(seconds):
                return self.pipe.recv()
            return False, f"gave no answer in {seconds:.0f} s"
        except (EOFError, OSError):
            return False, "the process died"

    def stop(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def measure_missing(options: argparse.Namespace, deadline: float | None) -> list[str]:
    """Measure what is missing until the deadline; the failures, one line each."""
    name = find_device(options.device).describe()["device"]
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        (i, case)
        for i, case in enumerate(cases())
        if options.only in case.file(name) and not (folder / case.file(name)).exists()
    ]
    print(f"{len(wanted)} cases to measure on {name}", flush=True)
    worker, failures = None, []
    for done, (i, case) in enumerate(wanted):
        left = deadline - time.monotonic() if deadline else float("inf")
        if left < RESERVE:
            print(f"out of time: {len(wanted) - done} cases are left", flush=True)
            break
        worker = worker or Worker(options.device, folder)
        begin = time.monotonic()
        fine, text = worker.measure(i, min(SECONDS_A_CASE, left))
        took = time.monotonic() - begin
        print(f"{case.file(name)}: {text}, measured in {took:.1f} s", flush=True)
        if not fine:  # its context may be lost
            failures.append(f"{case.file(name)}: {text}")
            worker.stop()
            worker = None
    if worker:
        worker.stop()
    return failures


def main() -> int:
    """Run the GPU's tests where asked, then measure; the exit code is 1 when something failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="auto", help="cuda, cpu or auto (default)")
    parser.add_argument("--out", default=str(HERE / "measurements"), help="the folder to fill")
    parser.add_argument("--only", default="", help="files whose name contains this")
    parser.add_argument("--minutes", type=float, help="start no case after so many minutes")
    parser.add_argument("--tests", action="store_true", help="run the tests of the GPU first")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes if options.minutes else None
    failures = []
    if options.tests:
        command = [sys.executable, "-m", "pytest", "-q", str(HERE.parent / "tests/test_gpu.py")]
        if subprocess.run(command, cwd=HERE.parent, check=False).returncode:
            failures.append("tests/test_gpu.py")
    try:
        failures += measure_missing(options, deadline)
    except MeasureError as e:
        print(f"measure.py: {e}", file=sys.stderr)
        return 2
    print(f"failed: {'; '.join(failures)}" if failures else "all done")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
