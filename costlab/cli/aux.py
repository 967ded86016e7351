"""`costlab aux`: auxiliary classifiers: their cost, and where to put them."""

from __future__ import annotations

import argparse

import costlab

from ._errors import UserError, errors, refuse
from ._extras import require
from ._options import add_chart, add_diagram, add_output
from ._output import draw, save_chart, show
from ._progress import progress_line, working
from ._types import Commands, Options


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "aux",
        help="show what auxiliary classifiers cost, and where to place them",
        example="costlab aux cnds8",
    )
    p.add_argument(
        "model", nargs="*", metavar="MODEL", help="googlenet, inception_v3 or cnds8 (default: all)"
    )
    add_diagram(p, "draw the network with its auxiliary classifiers")
    probe = p.add_argument_group("gradient probe")
    _add_probe(probe)
    _add_network_setting(probe)
    add_chart(probe, "draw the mean gradients")
    add_output(p)
    p.set_defaults(run=run)


def _add_probe(options: Options) -> None:
    """How the probe trains, and what it keeps."""
    options.add_argument(
        "--probe",
        action="store_true",
        help="train for some iterations on handwritten digits, and compare the gradients with and "
        "without auxiliary classifiers",
    )
    options.add_argument(
        "--iterations",
        type=int,
        metavar="N",
        help="training iterations for each seed; the rule asks for 10 to 50 (default: 10)",
    )
    options.add_argument("--batch", type=int, metavar="N", help="batch size (default: 4)")
    options.add_argument(
        "--threshold",
        type=float,
        metavar="X",
        help="the rule places an auxiliary classifier where the mean gradient falls below this "
        "(default: 1e-7)",
    )
    options.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="number of runs, each with other weights and images (default: 3)",
    )
    options.add_argument("--seed", type=int, metavar="N", help="the first seed (default: 0)")
    options.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu"),
        help="the device to train on (default: auto)",
    )
    options.add_argument(
        "--record",
        metavar="FILE.json",
        help="save every curve; costlab chart gradients FILE.json draws them without training "
        "again",
    )


def _add_network_setting(options: Options) -> None:
    """How the network that the probe trains is set up."""
    options.add_argument(
        "--setting",
        help="released (initialized as in the authors' prototxt), sigmoid, no-biases, deeper, "
        "batch-norm or he (default: released)",
    )
    options.add_argument(
        "--beside",
        metavar="SETTING",
        action="append",
        help="also run this setting, without auxiliary classifiers; all runs every other one; "
        "repeat it for several",
    )


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
    with working("counting auxiliary classifiers"), errors():
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
    require("probe", "the probe")
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

    with errors():
        return costlab.probe(args.model[0], seeds=tuple(seeds), progress=progress, **given)
