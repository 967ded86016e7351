"""`costlab sweep MODEL ... --over NAME=RANGE`: cost, memory and time over batch, resolution,
tokens and arguments of the factory."""

import argparse
import itertools
import os
import re
from dataclasses import replace

from ._common import (
    UserError,
    add_model,
    add_output,
    errors,
    get_model,
    missing,
    progress_line,
    save_chart,
    show,
    writable,
)
from ._common import run as run_model
from .trace import add_measuring, measured

_SIZES = ("batch", "resolution", "height", "width", "tokens")


def add(sub):
    """Register the command."""
    p = sub.add_parser(
        "sweep",
        help="cost, memory and time over batch, resolution, tokens and arguments; in parallel, "
        "resumable; the exact cost polynomial",
    )
    add_model(p, several=True)
    p.add_argument(
        "--over",
        action="append",
        metavar="NAME=RANGE",
        required=True,
        help="batch, resolution, height, width, tokens, or an argument of the factory (arg.NAME "
        "where it is called like a size); 1..256 (doubling), 160..320:32 (in steps), or 1,2,3; "
        "repeat for several",
    )
    p.add_argument(
        "--measure",
        action="store_true",
        help="run each configuration for real, one at a time: time and memory",
    )
    add_measuring(p)
    p.add_argument(
        "--jobs", type=int, help="processes at a time (default: as many as cores; 1 with --measure)"
    )
    p.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="local processes, or a Dask cluster (default: local)",
    )
    p.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of the Dask scheduler (default: a cluster of this machine)",
    )
    p.add_argument(
        "--journal",
        metavar="FILE.jsonl",
        help="take each outcome as it comes; started again with the same file, the sweep goes on "
        "where it stopped",
    )
    p.add_argument(
        "--chart",
        metavar="FILE",
        help="curves over the first range, as .svg, .pdf or .png, with their numbers beside as CSV",
    )
    add_output(p)
    p.set_defaults(run=run)


def values(name, text):
    """The values of a range: 1..8 doubles (resolution, height, width: in steps of 32), 1..8:2
    steps, 1,2,x lists."""
    m = re.fullmatch(r"(\d+)\.\.(\d+)(?::(\d+))?", text)
    if not m:
        listed = [v.strip() for v in text.split(",")]
        if ".." in text or not all(listed):
            raise UserError(
                f"cannot read --over {name}={text}; write it as 1..256, 160..320:32 or 1,2,3"
            )
        if name in _SIZES and not all(v.isdecimal() and 0 < int(v) < 10**9 for v in listed):
            raise UserError(f"--over {name}={text}: sizes are whole numbers from 1")
        return [int(v) if v.isdecimal() else v for v in listed]
    if len(m[1]) > 9 or len(m[2]) > 9:
        raise UserError(f"--over {name}={text} is out of all proportion")
    low, high, step = (
        int(m[1]),
        int(m[2]),
        int(m[3] or (32 if name in ("resolution", "height", "width") else 0)),
    )
    if low > high or low < 1:
        raise UserError(f"--over {name}={text} is empty; write the smaller number first, from 1")
    if step:
        return list(range(low, high + 1, step))
    found = []
    while low <= high:
        found.append(low)
        low *= 2
    return found


def _sized(tensor, sizes):
    """The shape of an input with the sizes of a configuration: dimension 0 is the batch, the last
    two of an image its grid, dimension 1 of a
    sequence of indices its tokens."""
    shape = list(tensor.shape)
    if "batch" in sizes and shape:
        shape[0] = sizes["batch"]
    if len(shape) == 4:
        shape[2] = sizes.get("height", sizes.get("resolution", shape[2]))
        shape[3] = sizes.get("width", sizes.get("resolution", shape[3]))
    elif len(shape) == 2 and not tensor.is_floating_point() and "tokens" in sizes:
        shape[1] = sizes["tokens"]
    return shape


def _arguments(configuration):
    """The command's arguments for one configuration, with its own input sizes."""
    sizes = {k: v for k, v in configuration.items() if k in _SIZES}
    extra = [
        f"{k.removeprefix('arg.')}={v}" for k, v in configuration.items() if k.startswith("arg.")
    ]
    args = argparse.Namespace(
        model=configuration["model"],
        input=configuration.get("input"),
        arg=[*configuration["arg"], *extra],
        device=configuration["device"],
        mode=configuration["mode"],
        dtype=configuration["dtype"],
        channels_last=configuration["channels_last"],
        compile=configuration["compile"],
    )
    return args, sizes


def _made_of(loaded, args) -> str:
    """What an outcome depends on beside its configuration: the model's code or library, versions,
    and where times were taken."""
    from .._version import __version__

    said = [f"costlab {__version__}", *([loaded.version] if loaded.version else [])]
    if args.measure:
        import torch

        from ..measure.device import find_device

        said += [f"torch {torch.__version__}", str(find_device(args.device).describe()["device"])]
    return ", ".join(said)


def one(configuration) -> dict:
    """The numbers of one configuration; runs in a worker."""
    from ..analysis.memory import memory
    from ..cost import total

    args, sizes = _arguments(configuration)
    resize = lambda t: _sized(t, sizes)  # noqa: E731
    trace = (
        measured(args, resize=resize, isolate=False, blocks=10)
        if configuration["measure"]
        else run_model(args, args.model, resize)
    )
    t = total(trace)
    held = memory(trace)
    result = {
        "params": t.params,
        "macs": t.macs,
        "activations": t.activations,
        "memory": held.whole,
    }
    if trace.measured:
        m = trace.measured
        first = trace.tensors[trace.inputs[0]].shape if trace.inputs else ()
        items = first[0] if first else 1
        result |= {
            "ms": 1e3 * m.total.median,
            "low": 1e3 * m.total.low,
            "high": 1e3 * m.total.high,
            "peak": None if m.peak is None else held.whole - held.peak + m.peak,
            "rate": items / m.total.median,
        }
    return result


def _resized(tensor, sizes):
    """An input of another size: of floats without values, of indices zeros."""
    import torch

    shape = _sized(tensor, sizes)
    if tensor.is_floating_point():
        return torch.empty(shape, dtype=tensor.dtype, device="meta")
    return torch.zeros(shape, dtype=tensor.dtype)


def _polynomials(args, axes, result):
    """A line a model: its exact cost polynomial, which must also give every row of the sweep on
    its sizes, or why there is none."""
    from ..analysis.polynomial import polynomial, stride
    from ..cost import total
    from ..trace import TraceError
    from ..trace import trace as run

    found = []
    for spec in args.model:
        loaded = get_model(args, spec)
        model, inputs, kwargs = loaded.model, loaded.inputs, loaded.kwargs
        given = (*((None, t) for t in inputs), *kwargs.items())

        def at(sizes, model=model, given=given):
            made = [(name, _resized(t, sizes)) for name, t in given]
            return run(
                model,
                tuple(t for name, t in made if name is None),
                {name: t for name, t in made if name},
                device="meta",
            )

        first = next((t for _, t in given if t.dim() in (2, 4)), None)
        shape = () if first is None else tuple(first.shape)
        grid = len(shape) == 4 and any(a in ("resolution", "height", "width") for a in axes)
        tokens = len(shape) == 2 and "tokens" in axes
        names = (
            (("N", "H", "W"), ("batch", "height", "width"))
            if grid
            else (("N", "T"), ("batch", "tokens"))
            if tokens
            else (("N",), ("batch",))
        )
        try:
            base = [1, *(shape[2:] if grid else shape[1:] if tokens else ())]
            step = [1, *([stride(at({}))] * 2 if grid else [1] if tokens else [])]
            count = lambda *sizes: total(at(dict(zip(names[1], sizes, strict=False)))).macs  # noqa: B023,E731
            made = polynomial(count, names[0], base, step)
            if made and not all(
                _agrees(made, o, base)
                for o in result.outcomes
                if o.configuration["model"] == spec and o.result
            ):
                made = None
            found.append(
                f"{spec}: {made}"
                if made
                else f"{spec}: its MACs are no one polynomial up to degree 4 over these sizes"
            )
        except (TraceError, ValueError) as e:
            try:
                made = polynomial(lambda n: total(at({"batch": n})).macs, ("N",), (1,), (1,))  # noqa: B023
                found.append(
                    f"{spec}: {made}; it takes one resolution only: {str(e).splitlines()[0]}"
                )
            except (TraceError, ValueError) as again:
                found.append(f"{spec}: no polynomial: {str(again).splitlines()[0]}")
    return found


def _agrees(made, outcome, base):
    """Whether a row of the sweep is on the polynomial, where its sizes are of those that it is
    for."""
    c = outcome.configuration
    sizes = {
        "N": c.get("batch", base[0]),
        "T": c.get("tokens", base[-1]),
        "H": c.get("height", c.get("resolution", base[1] if len(base) > 1 else 0)),
        "W": c.get("width", c.get("resolution", base[-1])),
    }
    values = [sizes[n] for n in made.names]
    if any((v - b) % s for v, b, s in zip(values, made.base, made.step, strict=False)):
        return True
    return made(*values) == outcome.result["macs"]


def run(args):
    """Lay out the configurations, run them, render."""
    from ..analysis import sweep as sweeping

    axes = _axes(args.over)
    _require_possible(args)
    writable(args.output, args.chart)
    configurations = _configurations(args, axes)
    several = len(args.model) > 1
    try:
        result = sweeping.sweep(
            configurations,
            one,
            engine=_engine(args, len(configurations)),
            jobs=_jobs(args),
            journal=args.journal,
            axes=(*(["model"] if several else []), *axes),
            progress=lambda done, of: progress_line(f"{done} of {of} configurations"),
        )
        if not any(a.startswith("arg.") for a in axes):  # of the sizes alone
            result = replace(result, notes=(*result.notes, *_polynomials(args, axes, result)))
    except ModuleNotFoundError as e:
        raise missing(e, f"the dask engine needs {e.name}; pip install 'costlab[dask]'") from None
    except (sweeping.JournalError, OSError) as e:
        raise UserError(str(e)) from None
    finally:
        progress_line("")
    if args.chart:
        with errors():
            save_chart(args.chart, result.chart())
    show(args, result.sheet)
    return 1 if result.failed == len(result.outcomes) else 0


def _axes(over):
    """The values by axis, in the order in which they were given."""
    axes = {}
    for item in over:
        name, eq, text = item.partition("=")
        plain = name.removeprefix("arg.")
        if not eq or not plain.isidentifier():
            raise UserError(f"cannot read --over {item!r}; write it as batch=1..256")
        key = name if name in _SIZES else f"arg.{plain}"
        if key in axes:
            raise UserError(f"--over {name} is given twice; list all its values in one")
        axes[key] = values(name, text)
    return axes


def _jobs(args):
    """How many configurations run at a time."""
    if args.jobs is not None:
        return args.jobs
    return 1 if args.measure else os.cpu_count() or 1


def _require_possible(args):
    """Refuse options that do not go together, before anything is built."""
    if _jobs(args) < 1:
        raise UserError(f"--jobs {args.jobs}: at least 1")
    if args.scheduler and args.engine != "dask":
        raise UserError("--scheduler is the Dask engine's; add --engine dask")
    if args.measure:
        _require_measurable(args)
    elif args.dtype != "fp32" or args.channels_last or args.compile:
        raise UserError("--dtype, --channels-last and --compile say how to measure; add --measure")
    if args.device == "cuda":
        from ..trace.tracer import TraceError, resolve_device

        try:
            resolve_device(None, "cuda")
        except TraceError as e:
            raise UserError(str(e)) from None


def _require_measurable(args):
    from ..measure import DTYPES

    if _jobs(args) > 1:
        raise UserError(
            "--measure times one configuration after the other, so that they do not disturb each "
            "other; leave out --jobs"
        )
    if args.mode == "train":
        raise UserError("--measure times inference; leave out --mode train")
    if args.dtype not in DTYPES:
        raise UserError(f"unknown dtype {args.dtype!r}; choose {', '.join(DTYPES)}")


_FIXED = ("input", "arg", "device", "mode", "dtype", "channels_last", "compile", "measure")


def _configurations(args, axes):
    """A dict for each model and each combination of values. What no configuration could run is one
    line, not a table of failures: each model is opened once before."""
    from ..analysis.sweep import MADE_OF

    loaded = {spec: get_model(args, spec) for spec in args.model}
    made = {spec: _made_of(loaded[spec], args) for spec in loaded} if args.journal else {}
    fixed = {name: getattr(args, name) for name in _FIXED}
    return [
        {
            "model": spec,
            **dict(zip(axes, chosen, strict=True)),
            **fixed,
            **({MADE_OF: made[spec]} if made else {}),
        }
        for spec in args.model
        for chosen in itertools.product(*axes.values())
    ]


def _engine(args, configurations):
    """What runs the configurations: a cluster, processes, or None for this one."""
    from ..analysis import sweep as sweeping

    if args.engine == "dask":
        return sweeping.dask(args.scheduler)
    return sweeping.local(_jobs(args)) if configurations > 1 else None
