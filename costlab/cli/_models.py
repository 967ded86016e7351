"""Models as the commands name them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
import ast
from dataclasses import replace
from typing import Any, TYPE_CHECKING

import costlab

from ..api._models import default_rate
from ._errors import UserError, errors, refuse
from ._progress import working

if TYPE_CHECKING:
    from ..api import Loaded, Trace


def arguments(items: Iterable[str]) -> dict[str, Any]:
    """The `--arg` items as a dict; values that are Python literals are read as such."""
    kwargs: dict[str, Any] = {}
    for item in items:
        key, eq, value = item.partition("=")
        if not eq or not key.isidentifier():
            raise UserError(f"cannot read --arg {item!r}; write it as name=value")
        try:
            kwargs[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            kwargs[key] = value
    return kwargs


def get_model(
    args: argparse.Namespace, spec: str | None = None, device: str = "meta"
) -> Loaded | Trace:
    """What `spec` (default `args.model`) names: a model with its inputs, or a saved trace."""
    with working(f"building {spec or args.model}"), errors():
        return costlab.load(
            spec or args.model,
            args.input,
            arguments=arguments(args.arg),
            device=device,
            **phase(args),
        )


def device_words(args: argparse.Namespace) -> list[tuple[str, str | None]]:
    """The options of `add_profile` and `add_rate` as they were given, for a command line that does
    the same."""
    names = ("profile", "profile_dtype", "profile_layout")
    return [
        *((f"--{name.replace('_', '-')}", getattr(args, name)) for name in names),
        ("--rate", args.rate and f"{args.rate!r}"),
    ]


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
        raise UserError("--context and --batch need --phase prefill or --phase decode")
    return {"phase": args.phase, **given}


def sizes(args: argparse.Namespace) -> dict[str, int]:
    """`--context` and `--batch`, where they are given."""
    return {n: getattr(args, n) for n in ("context", "batch") if getattr(args, n) is not None}


def get_trace(args: argparse.Namespace, spec: str | None = None) -> Trace:
    """The trace that `spec` (default `args.model`) names: loaded, or made now; with the times that
    a profile predicts, where one is named, and the price of an hour that `--rate` gives."""
    spec = spec or args.model
    several = isinstance(args.model, list) or getattr(args, "base", None)
    profile, rate = get_profile(args), get_rate(args)  # a model can take a while to build
    model = get_model(args, spec)
    with errors(about=f"{spec}: " if several else ""), working(f"tracing {spec}"):
        return costlab.trace(
            model,
            device=args.device,
            backward=args.mode == "train",
            profile=profile,
            rate=rate,
        )


def get_profile(args: argparse.Namespace):
    """The profile that the options of `add_profile` name; None where they name none, and for
    commands that have no such options. A default of the user's file is passed over for a training
    step, which no profile is of."""
    defaulted = "profile" in getattr(args, "defaulted", ())
    if defaulted and getattr(args, "mode", None) == "train":
        args.profile = None
    name = getattr(args, "profile", None)
    if name is None:
        refuse(
            args,
            [n for n in ("profile_dtype", "profile_layout") if n in args],
            "is of predicted times; add --profile PROFILE",
        )
        return None
    with errors(about="the default of --profile: " if defaulted else ""):
        found = costlab.load_profile(name, dtype=args.profile_dtype, layout=args.profile_layout)
    return replace(found, fallback=defaulted)


def get_rate(args: argparse.Namespace):
    """The price of an hour that `--rate` gives; None where it gives none, and for commands that
    have no such option."""
    price = getattr(args, "rate", None)
    if price is None or "rate" not in args.defaulted:
        return price
    with errors(about="the default of --rate: "):
        return default_rate(price)


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
