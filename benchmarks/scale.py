"""`python benchmarks/scale.py`: CPU time and memory for networks of 10,000 and 100,000 operations,
and for a Llama of 70 billion params, as the tables of docs/explanation/limits.md.

Each size runs in a process of its own, on one thread. CPU time does not count what other processes
take of the machine; wall time stands beside it. The last lines say which limits are kept, and the
exit code is 1 where one is not."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TypeVar

SIZES = (10_000, 100_000)  # operations
MOST_RATIO = 12.0  # of CPU times for ten times as many operations
MOST_MEMORY = 2000.0  # MB above torch for the larger network
MOST_LLAMA = 1000.0  # MB above torch
LLAMA = "llama-70b"
_LLAMA_70B = {
    "hidden_size": 8192,
    "intermediate_size": 28672,
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "vocab_size": 32000,
}
_STAGES = 10
_NOISE = 0.05  # seconds; shorter steps have no ratio
T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """A step of one size: CPU and wall time in seconds; the most memory until its end, in MB above
    what the process takes with torch imported."""

    name: str
    cpu: float
    wall: float
    peak: float


class _Recorder:
    """Runs steps, and prints a line of JSON for each."""

    def __init__(self) -> None:
        self._start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def __call__(self, name: str, run: Callable[[], T]) -> T:
        cpu, wall = time.process_time(), time.perf_counter()
        result = run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self._start) / 1024
        print(json.dumps(asdict(Step(name, cpu, wall, peak))), flush=True)
        return result


def run_case(what: str) -> None:
    """The steps of one size, which is a number of operations or `LLAMA`."""
    import torch

    import costlab

    torch.set_num_threads(1)
    if what == LLAMA:
        import transformers  # noqa: F401  its import is not costlab's

        _llama(_Recorder(), costlab)
    else:
        _network(_Recorder(), costlab, int(what))


def _llama(step: _Recorder, costlab) -> None:
    spec = "transformers:LlamaConfig"
    model = step("build on meta", lambda: costlab.load(spec, arguments=_LLAMA_70B))
    trace = step("trace", lambda: costlab.trace(model.model, model.inputs, model.kwargs))
    step("table", lambda: str(costlab.table(trace)))


def _network(step: _Recorder, costlab, operations: int) -> None:
    import torch

    from costlab.trace.build import build_on_meta

    model = step("build on `meta`", lambda: build_on_meta(lambda: stages(operations)).eval())
    x = torch.empty(1, 4, 8, 8, device="meta")
    trace = step("trace", lambda: costlab.trace(model, x))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.trace")
        step("save", lambda: trace.save(path))
        trace = step("load", lambda: costlab.Trace.load(path))
    step("totals", lambda: costlab.total(trace))
    table = step("table", lambda: costlab.table(trace, depth=2))
    step("table as CSV", lambda: table.render("csv"))
    step("table as HTML", lambda: table.render("html"))
    diagram = step("blocks of a collapsed diagram", lambda: costlab.diagram(trace))
    step("collapsed diagram as SVG", lambda: diagram.draw("svg"))


def stages(operations: int):
    """A network of so many operations on 4 channels: stages of blocks of five operations each, in
    turn of 4 and of 8 channels."""
    from torch import nn

    def block(before: int, width: int) -> nn.Sequential:
        conv, norm = nn.Conv2d(before, width, 1), nn.BatchNorm2d(width)
        return nn.Sequential(conv, norm, nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU())

    def stage(before: int, width: int) -> nn.Sequential:
        blocks = operations // 5 // _STAGES
        return nn.Sequential(block(before, width), *(block(width, width) for _ in range(1, blocks)))

    widths = [4, *(4 + 4 * (i % 2) for i in range(_STAGES))]
    return nn.Sequential(*(stage(a, b) for a, b in pairwise(widths)))


def case(what: str) -> list[Step]:
    """The steps of one size, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--case", what], stdout=subprocess.PIPE, text=True, check=True
    )
    return [Step(**json.loads(line)) for line in done.stdout.splitlines()]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    align = ["---", *["---:"] * (len(head) - 1)]
    for cells in (head, align, *rows):
        print("| " + " | ".join(cells) + " |", flush=True)
    print()


def _ratio(small: Step, large: Step) -> float | None:
    return large.cpu / small.cpu if small.cpu >= _NOISE else None


def report() -> bool:
    """Print the tables and what is kept; whether all of it is."""
    small, large = (case(str(n)) for n in SIZES)
    ratios = [_ratio(a, b) for a, b in zip(small, large, strict=True)]
    sizes = [f"{n:,} operations" for n in SIZES]
    print("## Scale: CPU seconds of one thread, and memory above torch\n")
    _table(
        ("step", *sizes, "ratio", f"wall time, {sizes[-1]}", "most memory until then"),
        [
            (
                b.name,
                f"{a.cpu:.1f} s",
                f"{b.cpu:.1f} s",
                "" if ratio is None else f"{ratio:.1f}",
                f"{b.wall:.1f} s",
                f"{b.peak:,.0f} MB",
            )
            for a, b, ratio in zip(small, large, ratios, strict=True)
        ],
    )
    llama = case(LLAMA)
    _table(
        ("Llama of 70 billion params", "CPU time", "wall time", "most memory until then"),
        [(s.name, f"{s.cpu:.1f} s", f"{s.wall:.1f} s", f"{s.peak:,.0f} MB") for s in llama],
    )
    steepest = max(ratio for ratio in ratios if ratio is not None)
    kept = list(_kept(steepest, large[-1].peak, llama[-1].peak))
    return all(kept)


def _kept(ratio: float, memory: float, llama: float) -> Iterator[bool]:
    """Print each figure beside its limit; whether it is kept."""
    for name, value, most in (
        ("ratio for ten times the operations", ratio, MOST_RATIO),
        (f"MB above torch for {SIZES[-1]:,} operations", memory, MOST_MEMORY),
        ("MB above torch for 70 billion params", llama, MOST_LLAMA),
    ):
        kept = value <= most
        print(f"- {name}: {value:,.1f}, at most {most:,.0f}: {'kept' if kept else 'NOT KEPT'}")
        yield kept


def main() -> int:
    """Run the benchmark; with --case one size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", help="one size, as JSON lines (used by the benchmark)")
    args = parser.parse_args()
    if args.case:
        run_case(args.case)
        return 0
    return 0 if report() else 1


if __name__ == "__main__":
    sys.exit(main())
