"""`costlab trace MODEL -o FILE`: record once, use everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._common import UserError, add_model, get_model, get_trace, named, progress_line, writable

if TYPE_CHECKING:
    from ..trace import Trace


def add_measuring(parser):
    """How a model is run when it is measured."""
    parser.add_argument(
        "--dtype",
        default="fp32",
        metavar="DTYPE",
        help="fp32, tf32 (float32 with TF32 products, on CUDA), bf16 or fp16 (default: fp32)",
    )
    parser.add_argument("--channels-last", action="store_true", help="4-d tensors as NHWC")
    parser.add_argument("--compile", action="store_true", help="time torch.compile(model) too")


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "trace", help="record a model's run in a file, with --measure also its time and memory"
    )
    add_model(p)
    p.add_argument(
        "--measure",
        action="store_true",
        help="run it for real, with random weights: time and memory in place, modules alone, the "
        "device's ceilings",
    )
    add_measuring(p)
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="the trace file to write")
    p.set_defaults(run=run)


def measuring(args, **options):
    """`costlab.measure.measure` as the arguments ask, with its progress on the terminal."""
    from ..measure import measure

    def run(model, inputs, kwargs, **more):
        try:
            return measure(
                model,
                inputs,
                kwargs,
                dtype=args.dtype,
                channels_last=args.channels_last,
                compile=args.compile,
                progress=lambda step: progress_line(str(step)),
                **{**options, **more},
            )
        finally:
            progress_line("")

    return run


def measured(args, spec=None, resize=None, **options) -> Trace:
    """A measured trace of the model that `spec` (default `args.model`) names."""
    from ..trace import TraceError

    if args.mode == "train":
        raise UserError("--measure times inference; leave out --mode train")
    spec = spec or args.model
    _require_memory(args, spec, resize)
    loaded = get_model(args, spec, real=True, resize=resize)
    measure = measuring(args, **options)
    try:
        with loaded.scope():
            made = measure(
                loaded.model, loaded.inputs, loaded.kwargs, device=args.device, spec=spec
            )
        return named(made, loaded)
    except TraceError as e:
        raise UserError(str(e)) from None


def _require_memory(args, spec, resize):
    """Refuse a model whose weights do not fit, before any are made: it is built on the host in
    float32, then copied to the device in its dtype."""
    from ..measure.device import DTYPES, MeasureError, find_device
    from ..measure.prepare import require_memory

    if args.dtype not in DTYPES:
        return  # `measure` says which there are
    parameters = list(get_model(args, spec, resize=resize).model.parameters())
    if any(p.device.type != "meta" for p in parameters):
        return  # it could only be built for real, so it fits
    elements = sum(p.numel() for p in parameters)
    try:
        require_memory(elements * 4, find_device("cpu"), "fp32")
        device = find_device(args.device)
        require_memory(elements * DTYPES[args.dtype].itemsize, device, args.dtype)
    except MeasureError as e:
        raise UserError(str(e)) from None


def run(args):
    """Trace, measure where asked, save."""
    if not args.measure and (args.dtype != "fp32" or args.channels_last or args.compile):
        raise UserError("--dtype, --channels-last and --compile say how to measure; add --measure")
    writable(args.output)
    trace = measured(args) if args.measure else get_trace(args)
    try:
        trace.save(args.output)
    except OSError as e:
        raise UserError(f"cannot write {args.output}: {e.strerror}") from None
    took = (
        f", {1e3 * trace.measured.total.median:,.3f} ms on {trace.measured.conditions['device']}"
        if trace.measured
        else ""
    )
    print(f"{args.output}: {len(trace.ops)} operations of {trace.provenance['model']}{took}")
