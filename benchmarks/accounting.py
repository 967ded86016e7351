"""Hold predicted times to account: on networks that were never measured for the profile.

    python benchmarks/accounting.py --profile h200.device --minutes 5
    python benchmarks/accounting.py --profile h200.device --traces reports/measurements --on h200
    python benchmarks/accounting.py --profile reports/devices/h100.device \
        --accounts reports/devices/h100.fp32.json
    python benchmarks/accounting.py --profile reports/devices/epyc.device \
        --accounts reports/devices/epyc.fp32.json

Measures whole networks on the device in hand (or takes measured traces), predicts them from the
profile, and prints median error, 90th percentile and coverage of the 90% intervals, and the ranks
and signs of factorized convolutions, beside FLOPs alone and a roofline. Without the profile's file
the device is calibrated first.

No network here was measured for the profile. Single layers may have the shape of a kernel that was:
the zoo's shapes are measured first, those of the torchvision and timm networks here were not looked
for. Random networks are of seeds that calibration never uses. Needs torch alone, without
torchvision and timm only zoo and random networks.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
import torch  # noqa: E402
from accounts import (  # noqa: E402
    Account,
    Rewritten,
    network_lines,
    rewrite_lines,
    round_lines,
    speed_lines,
)
from cases import Case, modules, networks  # noqa: E402
from rounds import Timer, measured_again, slowdown, timer_on  # noqa: E402

import costlab  # noqa: E402 costlab need not be installed
from costlab.analysis.factorize import RULES, slug  # noqa: E402
from costlab.cost import cost_of  # noqa: E402
from costlab.measure.ceilings import product_ceiling  # noqa: E402
from costlab.measure.device import find_device  # noqa: E402
from costlab.measure.runs import Run, load_runs, runs_on  # noqa: E402
from costlab.predict import Estimate, Prediction, difference  # noqa: E402
from costlab.predict.calibrated import CalibratedProfile  # noqa: E402
from costlab.predict.calibration.steadiness import Steadiness  # noqa: E402
from costlab.predict.device_file import read_device  # noqa: E402
from costlab.predict.fitting.ceilings import device_ceilings  # noqa: E402
from costlab.predict.kernels import kernels_of  # noqa: E402
from costlab.trace import Trace  # noqa: E402

SOURCES = ("zoo", "torchvision", "timm", "random")
NOTABLE = 0.01  # share of a network's time from which an operation's error counts
Conditions = tuple[str, str]


def accounts_of(
    cases: Iterable[tuple[str, Case]],
    profile: CalibratedProfile,
    conditions: Conditions,
    timer: Timer,
    until: float = math.inf,
) -> Iterator[tuple[str, Account, Estimate]]:
    """Time and predict each, until the time is over; one that fails is said and left out."""
    dtype, layout = conditions
    for name, case in cases:
        if time.monotonic() > until:
            print(f"the time is over at {name}")
            return
        try:
            model, inputs = case.make()
            trace = costlab.trace(model, inputs, device="meta", train=False)
            prediction = profile.predict(trace, dtype=dtype, layout=layout)
            seconds = timer(name, model, inputs)
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as e:
            print(f"{name} is left out: {str(e).strip().splitlines()[0][:120]}")
            continue
        account = _account(name, trace, prediction, seconds, profile)
        print(_line(account), flush=True)
        yield name, account, prediction.total


def _rooflines(trace: Trace, prediction: Prediction, profile: CalibratedProfile) -> list[float]:
    """Of each operation, by ceilings that were measured for the profile."""
    dtype, layout = prediction.facts.dtype, prediction.facts.layout
    points, facts = profile.calibration.points, profile.calibration.facts
    ceilings = device_ceilings(points, dtype, layout, facts)
    ops = kernels_of(trace, layout)
    return [ceilings.roofline(op.kernel) if op.kernel else 0.0 for op in ops]


def _account(
    name: str, trace: Trace, prediction: Prediction, seconds: float, profile: CalibratedProfile
) -> Account:
    total = prediction.total
    return Account(
        name,
        seconds,
        total.seconds or 0.0,
        total.low,
        total.high or 0.0,
        float(sum(cost_of(trace, op).flops for op in trace.forward)),
        sum(_rooflines(trace, prediction, profile)),
        total.outside,
    )


def _line(a: Account) -> str:
    mark = " " if a.covered else "!"
    return (
        f"{a.name:42} measured {1e3 * a.measured:9.3f} ms, predicted {1e3 * a.predicted:9.3f} "
        f"({1e3 * a.low:.3f} to {1e3 * a.high:.3f}) {a.error:+6.1%} {mark}"
    )


def paired(found: dict[str, tuple[Account, Estimate]]) -> list[Rewritten]:
    """Both sides of each rule, by the names of `modules`."""
    rewrites: list[Rewritten] = []
    for size in dict.fromkeys(name.partition(" ")[2] for name in found):
        for _, _, name in RULES:
            before, after = (found.get(f"{side} {size}") for side in slug(name))
            if before and after:
                saved = difference(before[1], after[1])
                if saved and saved.high is not None:
                    rewrites.append(
                        Rewritten(f"{name} {size}", before[0], after[0], saved.low, saved.high)
                    )
    return rewrites


def from_traces(runs: Sequence[Run], profile: CalibratedProfile) -> None:
    """Print the account of measured traces, nothing of which was fitted to."""
    networks_found: list[Account] = []
    operations: list[Account] = []
    sides: dict[str, tuple[Account, Estimate]] = {}
    rules = {side for _, _, name in RULES for side in slug(name)}
    for run in runs:
        if (run.name.dtype, run.trace.measured.conditions["layout"]) not in profile.conditions:
            continue
        prediction = profile.predict(run.trace)
        seconds = run.trace.measured.total.median
        account = _account(run.name.file, run.trace, prediction, seconds, profile)
        print(_line(account))
        if run.name.model in rules:
            size = f"{run.name.dtype} {run.name.layout} {run.name.inputs}"
            sides[f"{run.name.model} {size}"] = account, prediction.total
        else:
            networks_found.append(account)
        operations += _operations(run.trace, prediction, profile)
    _print(network_lines(networks_found, "networks"))
    _print(network_lines([a for a, _ in sides.values()], "modules of the rules"))
    _print(network_lines(operations, f"operations that take {NOTABLE:.0%} or more"))
    _print(rewrite_lines(paired(sides)))


def _operations(
    trace: Trace, prediction: Prediction, profile: CalibratedProfile
) -> Iterator[Account]:
    """The operations that take a notable share; without what passes between kernels, which is part
    of what is predicted."""
    seconds: dict[int, float] = {}
    for op in trace.measured.ops:
        seconds[op.of] = seconds.get(op.of, 0.0) + op.seconds
    rooflines = _rooflines(trace, prediction, profile)
    for index, (op, estimate) in enumerate(zip(trace.forward, prediction.ops, strict=True)):
        took = seconds.get(index, 0.0)
        if took >= NOTABLE * trace.measured.total.median and estimate.seconds and estimate.high:
            flops = float(cost_of(trace, op).flops)
            yield Account(
                *(op.name, took, estimate.seconds, estimate.low, estimate.high),
                *(flops, rooflines[index], estimate.outside),
            )


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


@dataclass(frozen=True)
class Found:
    """Accounts of networks, and of both sides of the rules by their names. `slowdown`: how many
    times as long a reference product took as while the device was calibrated, where that is
    known."""

    facts: dict[str, str]
    networks: list[Account]
    sides: dict[str, tuple[Account, Estimate]]
    slowdown: float | None = None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        sides = [account for account, _ in self.sides.values()]
        listed = {"networks": self.networks, "modules": sides}
        accounts = {k: [asdict(a) for a in v] for k, v in listed.items()}
        return {**self.facts, "slowdown": self.slowdown, **accounts}


def live(args: argparse.Namespace, profile: CalibratedProfile) -> Found:
    """Measured now: the rules first, which are quick, for a third of the time at most."""
    device, begun = find_device(args.device), time.monotonic()
    name = device.describe()["device"]
    if name != profile.name:
        wrong = f"{args.profile} is of {profile.name}, and this is {name}"
        print(f"{wrong}; calibrate it to another file", file=sys.stderr)
        sys.exit(2)
    product_ceiling(device, args.dtype)  # the clocks of an idle device rise only under work
    print(f"device: {name}, torch {torch.__version__}, {device.sample()}")
    conditions, seconds = (args.dtype, args.layout), 60 * args.minutes
    first = seconds * (0.6 if args.rounds > 1 else 1.0)  # the first round predicts too
    steadiness = Steadiness(device)
    timer = timer_on(steadiness, conditions)
    batches = [int(n) for n in args.batches.split(",")]
    rules, whole = modules(), {c.name: c for c in networks(args.sources.split(","), batches)}
    sides = _first_round(rules, profile, conditions, timer, begun + first / 3)
    found = _first_round(whole, profile, conditions, timer, begun + first)
    both = {n: account for n, (account, _) in (sides | found).items()}
    both = measured_again(both, rules | whole, timer, args.rounds, begun + seconds)
    date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = {"device": name, "date": date, "torch": torch.__version__}
    return Found(
        {**facts, "dtype": args.dtype, "layout": args.layout},
        sides={n: (both[n], estimate) for n, (_, estimate) in sides.items()},
        networks=[both[n] for n in found],
        slowdown=slowdown(steadiness, profile.calibration.facts.clocks),
    )


def _first_round(
    cases: Mapping[str, Case],
    profile: CalibratedProfile,
    conditions: Conditions,
    timer: Timer,
    until: float,
) -> dict[str, tuple[Account, Estimate]]:
    """The accounts by name, as far as the time goes."""
    found = accounts_of(cases.items(), profile, conditions, timer, until)
    return {name: (account, estimate) for name, account, estimate in found}


def _measured(document: dict[str, Any]) -> dict[str, float]:
    """Seconds of each case in what -o wrote: of several rounds the shortest."""
    cases = document["modules"] + document["networks"]
    return {a["name"]: min(a.get("rounds") or [a["measured"]]) for a in cases}


def again(file: str, profile: CalibratedProfile) -> Found:
    """What was measured before, predicted by the profile as costlab predicts now."""
    read = json.loads(Path(file).read_text())
    facts = {k: v for k, v in read.items() if isinstance(v, str)}
    print(f"measured on {facts['device']}, torch {facts['torch']}, {facts['date']}")
    seconds = _measured(read)
    rounds = {a["name"]: a.get("rounds", ()) for a in read["modules"] + read["networks"]}
    conditions = facts["dtype"], facts["layout"]
    batches = sorted({int(name.rpartition(" x")[2]) for name in seconds if " x" in name})
    cases = {c.name: c for c in networks(SOURCES, batches)}
    rules = modules()

    def accounts(part: str, of: dict[str, Case]) -> Iterator[tuple[str, Account, Estimate]]:
        wanted = ((a["name"], of[a["name"]]) for a in read[part] if a["name"] in of)
        found = accounts_of(wanted, profile, conditions, lambda name, *_: seconds[name])
        return ((n, replace(a, rounds=tuple(rounds[n])), e) for n, a, e in found)

    return Found(
        facts,
        sides={n: (account, estimate) for n, account, estimate in accounts("modules", rules)},
        networks=[account for _, account, _ in accounts("networks", cases)],
        slowdown=read.get("slowdown"),
    )


def options() -> argparse.Namespace:
    """The command line."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--profile", required=True, help="a .device file; made where it is missing")
    p.add_argument("--calibrate-minutes", type=float, default=5)
    p.add_argument("--device", default="auto", choices=("auto", "cuda", "cpu"))
    p.add_argument("--minutes", type=float, default=10, help="for measuring networks")
    p.add_argument("--rounds", type=int, default=1, help="apart in time; the shortest counts")
    p.add_argument("--sources", default=",".join(SOURCES))
    p.add_argument("--batches", default="1,8")
    p.add_argument("--dtype", default="fp32")
    p.add_argument("--layout", default="contiguous", choices=("contiguous", "channels-last"))
    p.add_argument("--traces", help="a folder of measured traces, instead of measuring")
    p.add_argument("--on", default="", help="words that the traces must have, such as h200 or fp32")
    p.add_argument("--accounts", help="what -o wrote: predict its networks again, measure nothing")
    p.add_argument("-o", "--output", help="write all accounts as JSON")
    return p.parse_args()


def main() -> None:
    """Calibrate where needed, measure or read, print."""
    args = options()
    if not Path(args.profile).exists():
        costlab.calibrate(args.profile, device=args.device, minutes=args.calibrate_minutes)
    profile = read_device(args.profile)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    facts = profile.calibration.facts
    print(f"profile: {profile.summary}, torch {facts.torch}, {facts.date}; account of {now}")
    if args.traces:
        from_traces(runs_on(load_runs(args.traces), args.on), profile)
        return
    found = again(args.accounts, profile) if args.accounts else live(args, profile)
    sides = [account for account, _ in found.sides.values()]
    for accounts, what in ((found.networks, "networks"), (sides, "modules of the rules")):
        _print(network_lines(accounts, what))
        _print(round_lines(accounts))
        _print(speed_lines(accounts, found.slowdown))
    _print(rewrite_lines(paired(found.sides)))
    if args.output:
        Path(args.output).write_text(json.dumps(found.document(), indent=1) + "\n")


if __name__ == "__main__":
    main()
