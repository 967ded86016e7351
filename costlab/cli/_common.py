"""Models, inputs and outputs as the commands name them."""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from ..sources import FORMS
from ..trace.files import write_file

if TYPE_CHECKING:
    from ..sources import Loaded
    from ..trace import Trace


class UserError(Exception):
    """Bad input; the message is the one line the user sees."""


def add_model(parser, several=False, optional=False):
    """The arguments of every command that takes a model; with `several` one or more, with
    `optional` one or none."""
    parser.add_argument(
        "model",
        nargs="*" if several and optional else "+" if several else "?" if optional else None,
        metavar="MODEL",
        help=FORMS,
    )
    parser.add_argument(
        "--input",
        action="append",
        metavar="SPEC",
        help="1x3x224x224, 1x16:int64<32000, name=1x16:int64, lists and dicts of these, or "
        "name==3 for a plain value; repeat for several",
    )
    parser.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="argument of the factory (of the config for transformers)",
    )
    parser.add_argument(
        "--phase",
        choices=("prefill", "decode", "both"),
        help="of a causal language model of transformers: reading the context into a KV cache, or "
        "one token after it; both, in costlab table, puts their totals side by side, and is the "
        "default with --context or --batch",
    )
    parser.add_argument(
        "--context", type=int, metavar="N", help="tokens of --phase a sequence (default: 4096)"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="sequences of --phase (default: 1)")
    add_mode(parser)
    parser.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu", "meta"),
        default="auto",
        help="where to run (default: auto)",
    )


def add_mode(parser):
    """`--mode` of every command that can count the backward pass."""
    parser.add_argument(
        "--mode",
        choices=("eval", "train"),
        default="eval",
        help="train: training mode, with the backward pass and what it keeps in memory (default: "
        "eval)",
    )


def add_output(parser):
    """`--format` and `-o` of every command that prints a table."""
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        metavar="FORMAT",
        help=f"{', '.join(_FORMATS)} (default: by the suffix of FILE, otherwise text)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE instead of the terminal"
    )
    parser.add_argument(
        "--wide",
        action="store_true",
        help="show all columns, even where the terminal is too narrow for them",
    )


_FORMATS = ("text", "md", "latex", "html", "csv", "json", "parquet")
_SUFFIX = {
    ".txt": "text",
    ".md": "md",
    ".tex": "latex",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
}


def show(args, sheet):
    """Render a sheet as the command's arguments ask."""
    from ..render import FORMATS, terminal

    suffix = os.path.splitext(args.output or "")[1].lower()
    if not args.format and suffix and suffix not in _SUFFIX:
        raise UserError(
            f"cannot tell the format of {args.output!r}; name it "
            f"{', '.join(dict.fromkeys(_SUFFIX))}, or give --format"
        )
    name = args.format or _SUFFIX.get(suffix, "text")
    if name == "parquet" and args.output is None:
        raise UserError("parquet is no text: name a file with -o FILE")
    if name == "text" and args.output is None and sys.stdout.isatty():
        try:
            return terminal(sheet, wide=args.wide)
        except ModuleNotFoundError:
            pass  # rich is an extra: plain text says the same
    try:
        data = FORMATS[name](sheet)
    except ModuleNotFoundError as e:
        raise missing(
            e, f"format {name} needs {e.name}; install it with pip install 'costlab[parquet]'"
        ) from None
    write(args.output, data)


def _arguments(items):
    kwargs = {}
    for item in items:
        key, eq, value = item.partition("=")
        if not eq or not key.isidentifier():
            raise UserError(f"cannot read --arg {item!r}; write it as name=value")
        try:
            kwargs[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            kwargs[key] = value
    return kwargs


def get_model(args, spec=None, real=False, resize=None) -> Loaded:
    """The model that `spec` (default `args.model`) names, with its inputs: on `meta`, or with
    `real` on the CPU, weights and inputs random with seed 0. `resize`: from an input to its
    shape."""
    spec = spec or args.model
    if is_trace(spec):
        raise UserError(f"{spec} is a saved trace, and this needs the model itself; name the model")
    return _loaded(args, spec, "cpu" if real else "meta", resize)


def _loaded(args, spec, device="meta", resize=None) -> Loaded:
    """The model that `spec` names, where it names no saved trace."""
    from ..sources import Loaded

    found = _found(args, spec, device, resize)
    assert isinstance(found, Loaded), f"{spec} is a saved trace"
    return found


def _found(args, spec, device="meta", resize=None) -> Loaded | Trace:
    """What `spec` names: a model with its inputs, or a saved trace."""
    from ..sources import SourceError, load

    _check_phase(args)
    try:
        found = load(spec, args.input, arguments=_arguments(args.arg), device=device, resize=resize)
        return _in_phase(args, found) if getattr(args, "phase", None) else found
    except SourceError as e:
        raise UserError(str(e)) from None


def _check_phase(args):
    phase = getattr(args, "phase", None)
    if phase and args.input:
        raise UserError("--phase makes the inputs from --context and --batch: leave out --input")
    if phase == "both":
        raise UserError(
            "--phase both is a summary that costlab table prints; choose --phase prefill or "
            "--phase decode"
        )
    if phase is None and is_sized(args):
        raise UserError("--context and --batch belong to --phase prefill or --phase decode")


def is_sized(args) -> bool:
    """Whether the sizes of a language model in use are given."""
    return any(getattr(args, name, None) is not None for name in ("context", "batch"))


def _in_phase(args, found) -> Loaded:
    from ..sources import Loaded, SourceError
    from ..sources.phases import Use, in_phase

    if not isinstance(found, Loaded):
        raise SourceError("--phase belongs to tracing, and this is a saved trace")
    context = 4096 if args.context is None else args.context
    return in_phase(found, Use(args.phase, context, 1 if args.batch is None else args.batch))


def is_trace(spec):
    """Whether a spec names a file that holds a graph; a zoo name is no file, whatever lies in the
    folder."""
    from ..sources import is_recording

    return is_recording(spec)


def load_trace(path) -> Trace:
    """A saved trace; one clear line for anything else."""
    from ..trace import Trace, TraceFileError

    try:
        return Trace.load(path)
    except TraceFileError as e:
        raise UserError(str(e)) from None


def get_trace(args, spec=None) -> Trace:
    """The trace that `spec` (default `args.model`) names: loaded, or made now."""
    from ..trace import Trace

    spec = spec or args.model
    if is_trace(spec):
        if args.input or args.arg or args.device != "auto":
            raise UserError(
                f"{spec} is a saved trace: --input, --arg and --device belong to tracing"
            )
        trace = _found(args, spec)
        assert isinstance(trace, Trace), f"{spec} is a model"
        if args.mode == "train" and not trace.trained:
            raise UserError(f"{spec} has no backward pass; trace the model again with --mode train")
        return trace
    return run(args, spec)


def run(args, spec, resize=None) -> Trace:
    """Build and trace a model where the arguments say. `resize`: from an input to its shape."""
    from ..trace import TraceError

    spec = spec or args.model
    try:
        if args.device == "auto":
            return _run_anywhere(args, spec, resize)
        return _run_on(args, spec, args.device, resize)
    except TraceError as e:
        guessed = spec.startswith("transformers:") and not args.input
        hint = (
            "; the inputs were costlab's own guess, name them with --input "
            f"(see costlab {args.command} --help)"
            if guessed
            else ""
        )
        several = isinstance(getattr(args, "model", None), list) or getattr(args, "base", None)
        raise UserError(f"{f'{spec}: ' if several else ''}{e}{hint}") from None


def _run_anywhere(args, spec, resize) -> Trace:
    """On a GPU where there is one and the model is not too large, otherwise on `meta`; a model that
    reads values runs on the CPU."""
    import torch

    from ..trace import TraceError
    from ..trace.build import LARGEST

    loaded = _loaded(args, spec, "meta", resize)
    small = sum(p.numel() * p.element_size() for p in loaded.model.parameters()) <= LARGEST
    on_cpu = loaded.provenance["device"] == "cpu"
    if torch.cuda.is_available() and small:
        return traced(loaded, "cuda", args.mode) if on_cpu else _run_on(args, spec, "cuda", resize)
    if on_cpu:
        return traced(loaded, "cpu", args.mode)
    try:
        return traced(loaded, "meta", args.mode)
    except TraceError as e:
        if "needs real values" not in str(e) or not small:
            raise
        return _run_on(args, spec, "cpu", resize)


def _run_on(args, spec, device, resize) -> Trace:
    """Trace on one device; off `meta` with values of its own, because a buffer may decide what
    runs."""
    loaded = _loaded(args, spec, "meta" if device == "meta" else "cpu", resize)
    return traced(loaded, device, args.mode)


def traced(loaded: Loaded, device, mode="eval") -> Trace:
    """The trace of a loaded model."""
    from ..trace import trace

    with loaded.scope():
        made = trace(
            loaded.model,
            loaded.inputs,
            loaded.kwargs,
            device=device,
            spec=loaded.provenance["spec"],
            backward=mode == "train",
        )
    return named(made, loaded)


def named(made: Trace, loaded: Loaded) -> Trace:
    """The trace with its source, the paper of a zoo model or the class of a configuration's, and
    with what a reader must know."""
    if "source" in loaded.provenance:
        made.provenance["source"] = loaded.provenance["source"]
    if loaded.notes:
        made.provenance["notes"] = list(loaded.notes)
    if loaded.use:
        made.provenance["use"] = dict(loaded.use)
    return made


def progress_line(text):
    """Show a line of progress on a terminal, over the one before; "" clears it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def missing(e, text):
    """What to raise for a package that is not there: the line that names the extra; torch is in no
    extra and has a line of its own."""
    return e if (e.name or "").partition(".")[0] == "torch" else UserError(text)


@contextlib.contextmanager
def errors(extra="", what="this"):
    """Errors of the public functions as the one line that the user reads.

    `extra` brings the package that `what` needs and that is not there; without one it is a
    fault."""
    from ..trace import TraceError

    try:
        yield
    except ModuleNotFoundError as e:
        if not extra:
            raise
        raise missing(e, f"{what} needs {e.name}; pip install 'costlab[{extra}]'") from None
    except (ValueError, TraceError) as e:
        raise UserError(str(e).splitlines()[0]) from None
    finally:
        progress_line("")


def require_suffix(path, formats):
    """Refuse a picture's file of another format, before anything is computed."""
    suffix = os.path.splitext(path)[1].removeprefix(".").lower()
    if suffix not in formats:
        *first, last = (f".{name}" for name in formats)
        raise UserError(f"cannot tell the format of {path!r}; name it {', '.join(first)} or {last}")


def draw(path, picture, extra="diagrams", what="this diagram"):
    """Write a picture of a result, where a file was asked for."""
    with errors(extra, what):
        data = picture.draw(picture.format_of(path))
    write(path, data)


def save_chart(path, picture, numbers=None):
    """Write a chart, and its numbers beside it as CSV; `numbers` instead of the chart's own."""
    from ..render import csv_text

    with errors("charts", "this chart"):
        data = picture.draw(picture.format_of(path))
    write(os.path.splitext(path)[0] + ".csv", csv_text(numbers or picture.numbers))
    write(path, data)


def refuse(args, names, why):
    """Refuse options that were given where they do nothing: `names` of arguments whose default is
    None or empty."""
    given = next((n for n in names if getattr(args, n) not in (None, [])), None)
    if given:
        raise UserError(f"--{given.replace('_', '-')} {why}")


def default(args, **values):
    """The defaults of options, after those that do nothing were refused."""
    for name, value in values.items():
        if getattr(args, name) is None:
            setattr(args, name, value)


def writable(*paths):
    """Refuse files that could not be written, before a long run."""
    for path in (os.path.realpath(p) for p in paths if p and p != "-"):
        home = os.path.dirname(path) or "."
        if os.path.isdir(path) or not os.path.isdir(home) or not os.access(home, os.W_OK):
            reason = f"no folder {home} that can be written"
            if os.path.isdir(path):
                reason = "it is a folder"
            raise UserError(f"cannot write {path}: {reason}")


def write(path, data):
    """Print, or write the file (text or bytes) beside and rename it."""
    if path in (None, "-"):
        try:
            if isinstance(data, str):
                sys.stdout.write(data)
                sys.stdout.flush()
            else:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as e:
            raise UserError(f"cannot write to standard output: {e.strerror}") from None
        return
    data = data.encode() if isinstance(data, str) else data
    try:
        write_file(path, data)
    except OSError as e:
        raise UserError(f"cannot write {path}: {e.strerror}") from None
