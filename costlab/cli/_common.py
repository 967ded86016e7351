"""Models, inputs and outputs as the commands name them."""
from __future__ import annotations

import ast
import difflib
import os
import sys
import tempfile


class UserError(Exception):
    """Bad input; the message is the one line the user sees."""


def add_model(parser):
    """The arguments of every command that takes a model."""
    parser.add_argument("model", help="zoo name, torchvision:NAME, timm:NAME, package.module:factory, path/file.py:factory, or a saved trace")
    parser.add_argument("--input", action="append", metavar="SPEC", help="1x3x224x224, 1x16:int64 or name=1x16:int64; repeat for several")
    parser.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="argument of the factory")
    parser.add_argument("--device", choices=("auto", "cuda", "cpu", "meta"), default="auto", help="where to run (default: auto)")


def _unknown(name):
    from .. import zoo
    near = difflib.get_close_matches(name, zoo.names(), 1)
    return UserError(f"unknown model {name!r}" + (f"; did you mean {near[0]}?" if near else "; `costlab list` shows the zoo, or give package.module:factory"))


def _factory(spec):
    """The callable that `spec` names, and the default input shape."""
    from .. import zoo
    home, _, name = spec.rpartition(":")
    if not home:
        if name not in zoo.names():
            raise _unknown(name)
        return lambda **kw: zoo.build(name, **kw), zoo.input_shape(name)
    import importlib
    import types
    image = (1, 3, 224, 224)
    try:
        if home == "torchvision":
            sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
            from torchvision.models import get_model
            return lambda **kw: get_model(name, weights=None, **kw), image
        if home == "timm":
            from timm import create_model
            return lambda **kw: create_model(name, pretrained=False, **kw), image
        if home.endswith(".py"):
            if not os.path.exists(home):
                raise UserError(f"no file {home}")
            loader = importlib.util.spec_from_file_location("_costlab_user_model", home)
            module = importlib.util.module_from_spec(loader)
            sys.modules[loader.name] = module
            loader.loader.exec_module(module)
        else:
            sys.path.insert(0, os.getcwd())
            module = importlib.import_module(home)
        return getattr(module, name), None
    except ModuleNotFoundError as e:
        raise UserError(f"cannot import {e.name}; install it in this environment (pip install {e.name.split('.')[0]})") from None
    except AttributeError:
        raise UserError(f"{home} has no {name!r}") from None
    except UserError:
        raise
    except Exception as e:
        raise UserError(f"importing {home} failed: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}") from None


def _input(text):
    import torch
    name, eq, rest = text.rpartition("=")
    shape, _, dtype = rest.partition(":")
    try:
        dims = [int(d) for d in shape.split("x")] if shape else []
        kind = getattr(torch, dtype or "float32")
        assert isinstance(kind, torch.dtype) and all(d >= 0 for d in dims)
    except (ValueError, AttributeError, AssertionError):
        raise UserError(f"cannot read input {text!r}; write it as 1x3x224x224, 1x16:int64 or name=1x16:int64") from None
    return name if eq else None, torch.zeros(dims, dtype=kind, device="meta")


def get_trace(args):
    """The trace that the command's arguments name: loaded, or made now."""
    from ..trace._record import Trace, TraceFileError
    if os.path.isfile(args.model):
        if args.input or args.arg:
            raise UserError(f"{args.model} is a saved trace: --input and --arg belong to tracing")
        try:
            return Trace.load(args.model)
        except TraceFileError as e:
            raise UserError(str(e)) from None
    kwargs = {}
    for item in args.arg:
        key, eq, value = item.partition("=")
        if not eq or not key.isidentifier():
            raise UserError(f"cannot read --arg {item!r}; write it as name=value")
        try:
            kwargs[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            kwargs[key] = value
    factory, shape = _factory(args.model)
    import torch

    from ..trace._build import build_on_meta
    from ..trace._tracer import TraceError, trace
    inputs = [_input(i) for i in args.input or ([_shape_text(shape)] if shape else [])]
    if not inputs:
        raise UserError(f"{args.model} needs --input, for example --input 1x3x224x224")
    try:
        model = build_on_meta(factory, **kwargs)
    except Exception as e:
        raise UserError(f"building {args.model} failed: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}") from None
    if not isinstance(model, torch.nn.Module):
        raise UserError(f"{args.model} made a {type(model).__name__}, not a torch.nn.Module")
    try:
        return trace(model.eval(), tuple(t for n, t in inputs if n is None), {n: t for n, t in inputs if n}, device=args.device, spec=args.model)
    except TraceError as e:
        raise UserError(str(e)) from None


def _shape_text(shape):
    return "x".join(map(str, shape))


def write(path, text):
    """Print, or write the file beside and rename it."""
    if path is None:
        sys.stdout.write(text)
        return
    try:
        fd, part = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".costlab-")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as f:
                f.write(text)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(part, 0o666 & ~umask)
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as e:
        raise UserError(f"cannot write {path}: {e.strerror}") from None
