"""`costlab verify MODEL`: a second count by fvcore and by torch, each difference explained."""

from ._common import (
    UserError,
    add_model,
    add_output,
    get_model,
    is_trace,
    load_trace,
    missing,
    show,
)


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "verify", help="count again with fvcore and FlopCounterMode, and explain each difference"
    )
    add_model(p)
    add_output(p)
    p.set_defaults(run=run)


def run(args):
    """Count, compare, render; exit code 1 when a difference is not explained."""
    if args.device == "cuda":
        raise UserError("verify counts on the CPU, where both peers run; leave --device out")
    spec = args.model
    if is_trace(spec):  # the model that it is of
        made = load_trace(spec)
        spec = made.provenance["model"]
        args.input = args.input or [
            f"{shape}:{dtype}" for shape, dtype in made.provenance["inputs"]
        ]
    loaded = get_model(args, spec, real=True)
    from ..trace.tracer import TraceError

    try:
        from ..analysis.verify import verify

        result = verify(
            loaded.model,
            loaded.inputs,
            loaded.kwargs,
            spec=spec,
            train=args.mode == "train",
            notes=loaded.notes,
        )
    except ModuleNotFoundError as e:
        raise missing(e, f"verify needs {e.name}; pip install 'costlab[verify]'") from None
    except (TraceError, MemoryError) as e:
        raise UserError(str(e)) from None
    show(args, result.sheet)
    return 0 if result.agrees else 1
