"""`costlab trace MODEL -o FILE`: record once, use everywhere."""

from __future__ import annotations

import argparse

from typing import TYPE_CHECKING, Any

import costlab

from ._errors import UserError, errors
from ._files import TRACE
from ._models import get_model, get_trace
from ._options import add_measuring, add_model
from ._progress import progress_line, wrote
from ._types import Commands

if TYPE_CHECKING:
    from ..api import Trace
    from ..api._models import Progress


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "trace",
        help="record one run of a model, optionally with its time and memory",
        example="costlab trace resnet18 -o resnet18.trace",
    )
    add_model(p)
    measurement = p.add_argument_group("measurement")
    measurement.add_argument(
        "--measure",
        action="store_true",
        help="run the model with random weights; measure its time and memory, its modules alone, "
        "and the ceilings of the device",
    )
    add_measuring(measurement)
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="the trace file to write")
    p.set_defaults(run=run, writes=TRACE)


def measuring(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `costlab.measure` that the arguments give, and its progress on the
    terminal."""

    def show_step(step: Progress) -> None:
        progress_line(str(step))

    return {
        "dtype": args.dtype,
        "channels_last": args.channels_last,
        "compile": args.compile,
        "progress": show_step,
    }


def require_measuring(args: argparse.Namespace):
    """Refuse options that say how to measure where nothing is measured, and measuring of a
    training step."""
    if not args.measure and (args.dtype != "fp32" or args.channels_last or args.compile):
        raise UserError("--dtype, --channels-last and --compile say how to measure; add --measure")
    if args.measure and args.mode == "train":
        raise UserError("--measure times inference; leave out --mode train")


def run(args: argparse.Namespace) -> int | None:
    """Trace, measure where asked, save."""
    require_measuring(args)
    trace = _measured(args) if args.measure else get_trace(args)
    try:
        trace.save(args.output)
    except OSError as e:
        raise UserError(f"cannot write {args.output}: {e.strerror}") from None
    wrote(
        f"{args.output}: {len(trace.ops)} operations of {trace.provenance['model']}{_took(trace)}"
    )


def _measured(args: argparse.Namespace):
    model = get_model(args)
    with errors():
        return costlab.measure(model, device=args.device, **measuring(args))


def _took(trace: Trace):
    if not trace.measured:
        return ""
    device = trace.measured.conditions["device"]
    return f", {1e3 * trace.measured.total.median:,.3f} ms on {device}"
