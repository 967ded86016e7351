"""Models, inputs and outputs as the commands name them."""

from __future__ import annotations

import ast
import difflib
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from ..trace._files import write_file


_LONG = 240  # letters of a message of somebody else's


class UserError(Exception):
    """Bad input; the message is the one line the user sees."""


def add_model(parser, several=False, optional=False):
    """The arguments of every command that takes a model; with `several` one or more, with `optional` one or none."""
    parser.add_argument(
        "model",
        nargs="*" if several and optional else "+" if several else "?" if optional else None,
        metavar="MODEL",
        help="zoo name, torchvision:NAME, timm:NAME, "
        "transformers:CONFIG-CLASS-OR-JSON, package.module:factory, path/file.py:factory, or a saved trace",
    )
    parser.add_argument(
        "--input",
        action="append",
        metavar="SPEC",
        help="1x3x224x224, 1x16:int64 or name=1x16:int64; repeat for several",
    )
    parser.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="argument of the factory (of the config for transformers)",
    )
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
        help="train: training mode, with the backward pass and what it keeps in memory (default: eval)",
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
            f"cannot tell the format of {args.output!r}; name it {', '.join(dict.fromkeys(_SUFFIX))}, or give --format"
        )
    name = args.format or _SUFFIX.get(suffix, "text")
    if name == "parquet" and args.output is None:
        raise UserError("parquet is no text: name a file with -o FILE")
    if name == "text" and args.output is None and sys.stdout.isatty():
        try:
            return terminal(sheet)
        except ModuleNotFoundError:
            pass  # rich is an extra: plain text says the same
    try:
        data = FORMATS[name](sheet)
    except ModuleNotFoundError as e:
        raise missing(
            e, f"format {name} needs {e.name}; install it with pip install 'costlab[parquet]'"
        ) from None
    write(args.output, data)


@dataclass(frozen=True)
class _Source:
    """How to make a model: `make(**arguments)`, and the input specs to use when the user gives none, from the model."""

    make: Callable
    inputs: Callable = lambda model: []


def _close(name, known, where):
    near = difflib.get_close_matches(name, list(known), 3)
    return UserError(
        f"unknown model {name!r}{where}"
        + (
            f"; did you mean {' or '.join(near)}?"
            if near
            else "; `costlab list` shows the zoo, or give package.module:factory"
            if not where
            else ""
        )
    )


def _zoo(name):
    from .. import zoo

    if name not in zoo.names():
        raise _close(name, zoo.names(), "")
    return _Source(
        lambda **kw: zoo.build(name, **kw), lambda model: [_shape_text(zoo.input_shape(name))]
    )


def _load_torchvision():
    """Import torchvision; where its compiled ops are for another build of torch, without them: its models need none."""
    import types

    try:
        import torchvision  # noqa: F401
    except RuntimeError as e:
        if "torchvision::" not in str(e):
            raise
        for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision._meta_registrations"] = types.ModuleType(
            "torchvision._meta_registrations"
        )
        import torchvision  # noqa: F401


def _torchvision(name):
    _load_torchvision()
    from torchvision import models

    if name not in models.list_models():
        raise _close(name, models.list_models(), " in torchvision")
    import inspect

    takes = inspect.signature(models.get_model_builder(name)).parameters
    plain = {k: v for k, v in (("weights_backbone", None), ("init_weights", False)) if k in takes}

    def inputs(model):
        size = getattr(model, "image_size", None)
        first = next(iter(models.get_model_weights(name)), None)
        size = (
            size
            or (
                first.transforms.keywords.get("crop_size")
                if first and hasattr(first.transforms, "keywords")
                else None
            )
            or 224
        )
        size = size if isinstance(size, (tuple, list)) else (size, size)
        if name in models.list_models(module=models.video):
            return [f"1x3x16x{_shape_text(size)}"]
        if name in models.list_models(module=models.optical_flow):
            return ["1x3x360x640"] * 2
        return [f"1x3x{_shape_text(size)}"]

    return _Source(lambda **kw: models.get_model(name, weights=None, **{**plain, **kw}), inputs)


def _timm(name):
    _load_torchvision()
    import timm

    if not timm.is_model(name):
        raise _close(name, timm.list_models(), " in timm")
    return _Source(
        lambda **kw: timm.create_model(name, pretrained=False, **kw),
        lambda model: [_shape_text((1, *model.pretrained_cfg["input_size"]))],
    )


def _transformers(name):
    """A configuration, never a download: a class name (LlamaConfig), or a config.json."""
    import json
    from importlib.util import find_spec

    if find_spec("torchvision"):
        _load_torchvision()
    import transformers

    if name.endswith(".json") or os.path.exists(name):
        try:
            with open(name, encoding="utf-8") as f:
                doc = json.load(f)
            kind, heads = doc["model_type"], doc.get("architectures") or []
            config_class = transformers.CONFIG_MAPPING[kind]
        except OSError as e:
            raise UserError(f"cannot read {name}: {e.strerror}") from None
        except KeyError as e:
            raise UserError(
                f"{name} names no model that transformers {transformers.__version__} knows: no {e}"
            ) from None
        except (ValueError, TypeError):
            raise UserError(f"{name} is not a transformers config.json") from None
    else:
        doc, heads, config_class = {}, [], getattr(transformers, name, None)
        if not (
            isinstance(config_class, type)
            and issubclass(config_class, transformers.PretrainedConfig)
        ):
            known = [n for n in dir(transformers) if n.endswith("Config")]
            raise _close(
                name,
                known,
                " in transformers (give a config class such as LlamaConfig, or a config.json)",
            )

    def make(**kw):
        config = config_class(**{**doc, **kw}) if not doc else config_class.from_dict({**doc, **kw})
        config.use_cache = False
        for head in heads:
            if hasattr(transformers, head):
                return getattr(transformers, head)(config)
        return _auto(transformers, config).from_config(config)

    def inputs(model):
        config, found = model.config, []
        vision = getattr(config, "vision_config", config)
        if "pixel_values" in accepted(model):
            size = getattr(vision, "image_size", None) or 224
            size = size if isinstance(size, (list, tuple)) else (size, size)
            found.append(f"pixel_values=1x{getattr(vision, 'num_channels', 3)}x{_shape_text(size)}")
        if "input_features" in accepted(model) and hasattr(config, "num_mel_bins"):
            found.append(
                f"input_features=1x{config.num_mel_bins}x{2 * getattr(config, 'max_source_positions', 1500)}"
            )
        longest = (
            getattr(getattr(config, "text_config", config), "max_position_embeddings", None) or 128
        )
        tokens = min(128, longest) if longest > 0 else 128
        if "input_ids" in accepted(model):
            found.append(f"input_ids=1x{tokens}:int64")
        if config.is_encoder_decoder and "decoder_input_ids" in accepted(model):
            found.append(f"decoder_input_ids=1x{tokens}:int64")
        return found

    def accepted(model):
        import inspect

        return inspect.signature(model.forward).parameters

    return _Source(make, inputs)


def _auto(transformers, config):
    """The class that a bare configuration means: with its head for what generates, without one for encoders."""
    kinds = (
        ("AutoModelForSeq2SeqLM", "AutoModelForSpeechSeq2Seq")
        if getattr(config, "is_encoder_decoder", False)
        else ()
        if type(config) in transformers.AutoModelForMaskedLM._model_mapping
        else ("AutoModelForCausalLM",)
    )
    return next(
        (
            auto
            for kind in kinds
            if type(config) in (auto := getattr(transformers, kind))._model_mapping
        ),
        transformers.AutoModel,
    )


def _importable(home, name):
    import importlib
    import importlib.util

    def load():
        if home.endswith(".py"):
            if not os.path.exists(home):
                raise UserError(f"no file {home}")
            loader = importlib.util.spec_from_file_location("_costlab_user_model", home)
            module = importlib.util.module_from_spec(loader)
            sys.modules[loader.name] = module
            sys.path.insert(0, os.path.dirname(os.path.abspath(home)))
            loader.loader.exec_module(module)
            return module
        sys.path.insert(0, os.getcwd())
        return importlib.import_module(home)

    try:
        try:
            module = load()
        except RuntimeError as e:
            if "torchvision::" not in str(e):
                raise
            _load_torchvision()
            module = load()
    except (UserError, ModuleNotFoundError):
        raise
    except (Exception, SystemExit) as e:
        raise UserError(f"importing {home} failed: {_line(e)}") from None
    factory = module
    for part in name.split("."):
        factory = getattr(factory, part, None)
    if not callable(factory):
        near = difflib.get_close_matches(
            name, [n for n in vars(module) if not n.startswith("_")], 3
        )
        raise UserError(
            f"{home} has no callable {name!r}"
            + (f"; did you mean {' or '.join(near)}?" if near else "")
        )
    return _Source(factory)


_HOMES = {"torchvision": _torchvision, "timm": _timm, "transformers": _transformers}


def _source(spec):
    home, _, name = spec.rpartition(":")
    try:
        if not home:
            if name.endswith(".py") or os.sep in name:
                raise UserError(
                    f"no file {name}"
                    if not os.path.exists(name)
                    else f"{name}: name its factory, as in {name}:build"
                )
            return _zoo(name)
        return _HOMES[home](name) if home in _HOMES else _importable(home, name)
    except ModuleNotFoundError as e:
        package = e.name.split(".")[0]
        how = f"'costlab[{package}]'" if package in _HOMES else package
        raise UserError(
            f"{spec} needs {e.name}, which is not installed here; pip install {how}"
        ) from None


def _line(e):
    text = (str(e).strip().splitlines() or [""])[0]
    text = text if len(text) <= _LONG else text[:_LONG].rsplit(" ", 1)[0] + " ..."
    return f"{type(e).__name__}: {text}" if text else type(e).__name__


def _input(text):
    import torch

    name, eq, rest = text.rpartition("=")
    shape, _, dtype = rest.partition(":")
    try:
        dims = [int(d) for d in shape.split("x")] if shape else []
        kind = getattr(torch, dtype or "float32")
        assert (
            isinstance(kind, torch.dtype)
            and not str(kind).startswith("torch.q")
            and all(d >= 0 for d in dims)
        )
    except (ValueError, AttributeError, AssertionError):
        raise UserError(
            f"cannot read input {text!r}; write it as 1x3x224x224, 1x16:int64 or name=1x16:int64"
        ) from None
    try:
        # indices are real zeros, because models read them (masks, lengths)
        return name if eq else None, torch.zeros(
            dims, dtype=kind, device="meta" if kind.is_floating_point else "cpu"
        )
    except (RuntimeError, NotImplementedError, TypeError, MemoryError, OverflowError) as e:
        raise UserError(f"cannot make input {text!r}: {_line(e)}") from None


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


def get_model(args, spec=None, real=False, resize=None):
    """The model that `spec` (default `args.model`) names, on `meta` and in evaluation mode, with positional and keyword
    inputs as meta tensors; with `real` on the CPU, weights and inputs random with seed 0. `resize`: from an input to its shape."""
    spec = spec or args.model
    if is_trace(spec):
        raise UserError(f"{spec} is a saved trace, and this needs the model itself; name the model")
    source = _source(spec)
    import torch

    from ..trace._build import build_on_meta

    arguments = _arguments(args.arg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if real:
                torch.manual_seed(0)
            model = source.make(**arguments) if real else build_on_meta(source.make, **arguments)
    except (Exception, SystemExit) as e:
        raise UserError(f"building {spec} failed: {_line(e)}") from None
    if not isinstance(model, torch.nn.Module):
        raise UserError(f"{spec} made a {type(model).__name__}, not a torch.nn.Module")
    inputs = [_input(i) for i in args.input or source.inputs(model)]
    if not inputs:
        raise UserError(f"{spec} needs --input, for example --input 1x3x224x224")
    if resize:
        inputs = [(n, torch.zeros(resize(t), dtype=t.dtype, device=t.device)) for n, t in inputs]
    if real:
        inputs = [
            (n, torch.randn(t.shape, dtype=t.dtype) if t.is_floating_point() else t)
            for n, t in inputs
        ]
    return model.eval(), tuple(t for n, t in inputs if n is None), {n: t for n, t in inputs if n}


def is_trace(spec):
    """Whether a spec names a file; a zoo name is no file, whatever lies in the folder."""
    from .. import zoo

    return spec not in zoo.names() and os.path.isfile(spec) and not spec.endswith(".py")


def load_trace(path):
    """A saved trace; one clear line for anything else."""
    from ..trace._record import Trace, TraceFileError

    try:
        return Trace.load(path)
    except TraceFileError as e:
        raise UserError(str(e)) from None


def get_trace(args, spec=None):
    """The trace that `spec` (default `args.model`) names: loaded, or made now."""
    spec = spec or args.model
    if is_trace(spec):
        if args.input or args.arg or args.device != "auto":
            raise UserError(
                f"{spec} is a saved trace: --input, --arg and --device belong to tracing"
            )
        trace = load_trace(spec)
        if args.mode == "train" and not trace.trained:
            raise UserError(f"{spec} has no backward pass; trace the model again with --mode train")
        return trace
    return run(args, spec)


_REAL = 4e9  # bytes of parameters up to which a model that `meta` cannot run is built for real


def run(args, spec, resize=None):
    """Build and trace a model where the arguments say: on `meta` as it was built; on the CPU or a GPU with its own values, because a buffer
    may decide what runs. With device auto on a GPU where there is one and the model is not too large, otherwise on `meta`, and where that cannot
    be (the model reads values) on the CPU. `resize` changes the shapes of the inputs."""
    import torch

    from ..trace._tracer import TraceError, trace

    spec = spec or args.model

    def on(device):
        model, inputs, kwargs = get_model(args, spec, real=device != "meta", resize=resize)
        return trace(
            model, inputs, kwargs, device=device, spec=spec, backward=args.mode == "train"
        ), model

    try:
        if args.device != "auto":
            return named(*on(args.device), spec)
        model, *_ = get_model(args, spec)
        small = sum(p.numel() * p.element_size() for p in model.parameters()) <= _REAL
        if torch.cuda.is_available() and small:
            return named(*on("cuda"), spec)
        try:
            return named(*on("meta"), spec)
        except TraceError as e:
            if "needs real values" not in str(e) or not small:
                raise
            return named(*on("cpu"), spec)
    except TraceError as e:
        hint = (
            f"; the inputs were costlab's own guess, name them with --input (see costlab {args.command} --help)"
            if spec.startswith("transformers:") and not args.input
            else ""
        )
        which = (
            f"{spec}: "
            if isinstance(getattr(args, "model", None), list) or getattr(args, "base", None)
            else ""
        )
        raise UserError(f"{which}{e}{hint}") from None


def named(made, model, spec):
    """The trace with its source: the paper of a zoo model, the class of a configuration's."""
    from .. import zoo

    if spec in zoo.names():
        made.provenance["source"] = zoo.names()[spec]
    elif spec.startswith("transformers:"):
        made.provenance["source"] = (
            f"{type(model).__name__} of transformers {sys.modules['transformers'].__version__}"
        )
    return made


def progress_line(text):
    """Show a line of progress on a terminal, over the one before; "" clears it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _shape_text(shape):
    return "x".join(map(str, shape))


def missing(e, text):
    """What to raise for a package that is not there: the line that names the extra; torch is in no extra and has a line of its own."""
    return e if (e.name or "").partition(".")[0] == "torch" else UserError(text)


def refuse(args, names, why):
    """Refuse options that were given where they do nothing: `names` of arguments whose default is None or empty."""
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
            raise UserError(
                f"cannot write {path}: {'it is a folder' if os.path.isdir(path) else f'no folder {home} that can be written'}"
            )


def write(path, data):
    """Print, or write the file (text or bytes) beside and rename it."""
    if path in (None, "-"):
        try:
            out = sys.stdout if isinstance(data, str) else sys.stdout.buffer
            out.write(data)
            out.flush()
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
