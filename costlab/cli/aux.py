"""`costlab aux`: auxiliary classifiers: their cost, and where to put them."""

from __future__ import annotations

import argparse

import costlab

from ..render import CHART_FORMATS
from ._errors import UserError, errors, progress_line, refuse
from ._output import add_look, add_output, draw, require_suffix, save_chart, show, writable
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "aux",
        help="auxiliary classifiers: cost in training and at inference, and a probe of where to "
        "put them",
    )
    p.add_argument(
        "model", nargs="*", metavar="MODEL", help="googlenet, inception_v3, cnds8 (default: all)"
    )
    p.add_argument(
        "--probe",
        action="store_true",
        help="run real training iterations on handwritten digits and compare gradients with and "
        "without heads",
    )
    p.add_argument(
        "--iterations",
        type=int,
        help="training iterations of the probe, a seed (default: 10; the rule asks for 10 to 50)",
    )
    p.add_argument("--batch", type=int, help="images a batch (default: 4)")
    p.add_argument(
        "--threshold",
        type=float,
        help="mean gradient under which the rule places a head (default: 1e-7)",
    )
    p.add_argument("--seeds", type=int, help="runs, each of other weights and images (default: 3)")
    p.add_argument("--seed", type=int, help="the first seed (default: 0)")
    p.add_argument(
        "--setting",
        help="how the network is set up: released (as the authors' prototxt says, the default), "
        "sigmoid, no-biases, deeper, batch-norm, he",
    )
    p.add_argument(
        "--beside",
        metavar="SETTING",
        action="append",
        help="a setting to run beside it, without heads; all for all others",
    )
    p.add_argument("--chart", metavar="FILE", help="draw the probe, as .svg, .pdf or .png")
    p.add_argument(
        "--record",
        metavar="FILE.json",
        help="keep every curve; costlab chart gradients FILE.json draws them without a run",
    )
    p.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu"),
        help="where to train (default: auto)",
    )
    p.add_argument(
        "--diagram",
        metavar="FILE",
        help="the network with its heads, as it trains, as .svg, .pdf, .png or .dot",
    )
    add_look(p)
    add_output(p)
    p.set_defaults(run=run)


_OF_THE_PROBE = (
    "iterations",
    "batch",
    "threshold",
    "seeds",
    "seed",
    "setting",
    "beside",
    "chart",
    "record",
    "device",
)


def run(args: argparse.Namespace) -> int | None:
    """Cost table, or the probe of one network."""
    if args.probe:
        _probe(args)
        return
    refuse(args, _OF_THE_PROBE, "is for the probe; add --probe")
    if args.diagram and len(args.model) != 1:
        raise UserError("--diagram draws one network: costlab aux googlenet --diagram FILE")
    with errors():
        costs = costlab.aux(args.model)
    if args.diagram:
        draw(args.diagram, costs.diagram())
    show(args, costs.sheet)


def _probe(args: argparse.Namespace):
    """Train, then draw, keep and print."""
    if args.diagram:
        raise UserError("--diagram draws one network: costlab aux googlenet --diagram FILE")
    if len(args.model) != 1:
        raise UserError("the probe takes one network: costlab aux cnds8 --probe")
    if args.chart:
        require_suffix(args.chart, CHART_FORMATS)
    if args.record and not args.record.endswith(".json"):
        raise UserError(f"--record writes JSON; name it {args.record}.json")
    writable(*(path for path in (args.chart, args.record) if path))
    result = _probed(args)
    if args.record:
        result.record(args.record)
    if args.chart:
        save_chart(args, args.chart, result.chart())
    show(args, result.sheet)


def _probed(args: argparse.Namespace):
    given = {
        name: value
        for name in ("iterations", "batch", "threshold", "setting", "beside", "device")
        if (value := getattr(args, name)) is not None
    }
    first = args.seed or 0
    seeds = range(first, first + (3 if args.seeds is None else args.seeds))

    def progress(done: int, of: int):
        progress_line(f"{done} of {of} iterations")

    with errors("probe", "the probe"):
        return costlab.probe(args.model[0], seeds=tuple(seeds), progress=progress, **given)
