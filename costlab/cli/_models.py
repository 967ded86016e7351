"""Models as the commands name them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
import ast
from typing import Any, TYPE_CHECKING

import costlab

from ..api import MODEL_FORMS
from ._errors import UserError, errors

if TYPE_CHECKING:
    from ..api import Loaded, Trace


def add_model(
    parser: argparse.ArgumentParser, several: bool = False, optional: bool = False
) -> None:
    """The arguments of every command that takes a model; with `several` one or more, with
    `optional` one or none."""
    parser.add_argument(
        "model",
        nargs="*" if several and optional else "+" if several else "?" if optional else None,
        metavar="MODEL",
        help=MODEL_FORMS,
    )
    add_inputs(parser)
    parser.add_argument(
        "--phase",
        choices=("prefill", "decode", "both"),
        help="of a causal language model of transformers: reading the context into a KV cache, or "
        "one token after it; both, in costlab table, puts their totals side by side, and is the "
        "default with --context or --batch",
    )
    parser.add_argument(
        "--context", type=int, metavar="N", help="tokens a sequence in --phase (default: 4096)"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="sequences in --phase (default: 1)")
    add_mode(parser)
    add_device(parser)


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """`--input` and `--arg` of every command that builds models."""
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


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device` of every command that traces."""
    parser.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu", "meta"),
        default="auto",
        help="where to run (default: auto)",
    )


def add_mode(parser: argparse.ArgumentParser) -> None:
    """`--mode` of every command that can count the backward pass."""
    parser.add_argument(
        "--mode",
        choices=("eval", "train"),
        default="eval",
        help="train: training mode, with the backward pass and what it keeps in memory (default: "
        "eval)",
    )


def arguments(items: Iterable[str]) -> dict[str, Any]:
    """The `--arg` items as a dict; values that are Python literals are read as such."""
    kwargs: dict[str, Any] = {}
    for item in items:
        key, eq, value = item.partition("=")
        if not eq or not key.isidentifier():
            raise UserError(f"cannot read --arg {item!r}; write it as name=value")
        try:
            kwargs[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            kwargs[key] = value
    return kwargs


def get_model(
    args: argparse.Namespace, spec: str | None = None, device: str = "meta"
) -> Loaded | Trace:
    """What `spec` (default `args.model`) names: a model with its inputs, or a saved trace."""
    with errors():
        return costlab.load(
            spec or args.model,
            args.input,
            arguments=arguments(args.arg),
            device=device,
            **phase(args),
        )


def phase(args: argparse.Namespace) -> dict[str, Any]:
    """The options of `costlab.load` for `--phase`."""
    given = sizes(args)
    if args.phase and args.input:
        raise UserError("--phase makes the inputs from --context and --batch: leave out --input")
    if args.phase == "both":
        raise UserError(
            "--phase both is a summary that costlab table prints; choose --phase prefill or "
            "--phase decode"
        )
    if given and not args.phase:
        raise UserError("--context and --batch belong to --phase prefill or --phase decode")
    return {"phase": args.phase, **given}


def sizes(args: argparse.Namespace) -> dict[str, int]:
    """`--context` and `--batch`, where they are given."""
    return {n: getattr(args, n) for n in ("context", "batch") if getattr(args, n) is not None}


def get_trace(args: argparse.Namespace, spec: str | None = None) -> Trace:
    """The trace that `spec` (default `args.model`) names: loaded, or made now."""
    spec = spec or args.model
    several = isinstance(args.model, list) or getattr(args, "base", None)
    model = get_model(args, spec)
    with errors(about=f"{spec}: " if several else ""):
        return costlab.trace(model, device=args.device, backward=args.mode == "train")


def tracing(args: argparse.Namespace) -> dict[str, Any]:
    """How a model is built and traced, for the public functions that do both."""
    return {
        "inputs": args.input,
        "arguments": arguments(args.arg),
        "device": args.device,
        "train": args.mode == "train",
    }


def building(args: argparse.Namespace) -> dict[str, Any]:
    """As `tracing`, with the phase of a language model."""
    return {**tracing(args), **phase(args)}
