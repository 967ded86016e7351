"""Options that several commands share, each declared once."""

from __future__ import annotations

import argparse

from ..api import MODEL_FORMS
from ..render import FORMATS
from ._shape import add_shape
from ._types import Options


def add_model(
    parser: argparse.ArgumentParser, several: bool = False, optional: bool = False
) -> None:
    """The arguments of every command that takes a model; with `several` one or more, with
    `optional` one or none."""
    parser.add_argument(
        "model",
        nargs="*" if several and optional else "+" if several else "?" if optional else None,
        metavar="MODEL",
        help=f"a model or a saved trace: {MODEL_FORMS}",
    )
    add_building(parser)
    _add_phase(parser.add_argument_group("language models of transformers"))


def add_building(parser: argparse.ArgumentParser) -> None:
    """How a model is built and traced."""
    group = parser.add_argument_group("model and inputs")
    group.add_argument(
        "--input",
        action="append",
        metavar="SPEC",
        help="an input: a shape (1x3x224x224), with a dtype (1x16:int64<32000), with a keyword "
        "(name=1x16:int64), a plain value (name==3), or a list or dict of these; repeat it for "
        "several",
    )
    group.add_argument(
        "--arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an argument of the factory, or of the configuration for transformers",
    )
    add_mode(group)
    group.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu", "meta"),
        default="auto",
        help="the device to run on (default: auto)",
    )


def add_mode(options: Options) -> None:
    """`--mode` of every command that can count the backward pass."""
    options.add_argument(
        "--mode",
        choices=("eval", "train"),
        default="eval",
        help="train: also count the backward pass and the memory it needs (default: eval)",
    )


def _add_phase(options: Options) -> None:
    """How a language model is run."""
    options.add_argument(
        "--phase",
        choices=("prefill", "decode", "both"),
        help="prefill: read the context into a KV cache; decode: generate one token after it; "
        "both: compare the two (costlab table only, and the default there with --context or "
        "--batch)",
    )
    options.add_argument(
        "--context",
        type=int,
        metavar="N",
        help="number of tokens in each sequence (default: 4096)",
    )
    options.add_argument("--batch", type=int, metavar="N", help="number of sequences (default: 1)")


def add_rows(options: Options, style: str | None = "auto") -> None:
    """How a network is divided into rows; `style` is the default."""
    options.add_argument(
        "--style",
        default=style,
        help="row style: auto, paper, resnet or layers (default: auto)",
    )
    options.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help="module depth of the layers style (default: open the modules that hold most of the "
        "cost)",
    )


def add_profile(parser: argparse.ArgumentParser) -> None:
    """The device whose times are predicted, of every command that can show them."""
    group = parser.add_argument_group("predicted time")
    group.add_argument(
        "--profile",
        metavar="PROFILE",
        help="show the time on another device: a .device file of costlab calibrate gives "
        "predictions with 90%% intervals; the name of a datasheet, such as h100, or a .toml file "
        "of your own, the least time possible (costlab list profiles shows the names)",
    )
    group.add_argument(
        "--profile-dtype",
        metavar="DTYPE",
        help="the dtype that the model runs in there: fp32, tf32, bf16, fp16 or int8 (default: its "
        "own)",
    )
    group.add_argument(
        "--profile-layout",
        choices=("contiguous", "channels-last"),
        help="the memory format that it runs in there (default: contiguous)",
    )


def add_rate(parser: argparse.ArgumentParser) -> None:
    """`--rate` of the commands that show a price."""
    parser.add_argument_group("price").add_argument(
        "--rate",
        type=float,
        metavar="PRICE",
        help="price of an hour of the device, in any currency: show what a million inputs cost, by "
        "the measured or predicted time",
    )


def add_measuring(options: Options) -> None:
    """How a model is run when it is measured."""
    options.add_argument(
        "--dtype",
        default="fp32",
        metavar="DTYPE",
        help="fp32, tf32 (float32 with TF32 matrix products, CUDA only), bf16 or fp16 (default: "
        "fp32)",
    )
    options.add_argument("--channels-last", action="store_true", help="store 4-D tensors as NHWC")
    options.add_argument("--compile", action="store_true", help="also time torch.compile(model)")


def add_diagram(options: Options, shows: str) -> None:
    """`--diagram FILE`; `shows` says what is drawn."""
    options.add_argument("--diagram", metavar="FILE", help=f"{shows} (.svg, .pdf, .png or .dot)")


def add_chart(options: Options, shows: str, name: str = "--chart") -> None:
    """An option `name` that draws a chart beside a table, and how the chart looks; `shows` says
    what is drawn. The title is that of the table."""
    options.add_argument(
        name,
        metavar="FILE",
        help=f"{shows} (.svg, .pdf or .png); the numbers are written to a CSV file beside it",
    )
    _add_look(options)


def add_look(options: Options) -> None:
    """How a chart looks that is all that a command makes."""
    _add_look(options)
    options.add_argument("--title", help='title of the chart; "" for none')


def _add_look(options: Options) -> None:
    options.add_argument(
        "--width",
        help="width of the chart, such as 3.3in (one column of a paper), 8.5cm or 240pt (default: "
        "6.7in, two columns)",
    )
    options.add_argument(
        "--theme", help="colours of the chart: light, dark or grey (default: light)"
    )


def add_output(
    parser: argparse.ArgumentParser, more: tuple[str, ...] = (), documents: tuple[str, ...] = ()
) -> None:
    """Where a table goes, and in which format; `more` are formats of one command alone, and
    `documents` those in which it writes a report instead of a table."""
    formats = (*FORMATS, *more)
    parser.set_defaults(more_formats=more, documents=documents)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        type=_format_name,
        choices=formats,
        metavar="FORMAT",
        help=f"{', '.join(formats)} (default: by the suffix of FILE, otherwise text)",
    )
    group.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE instead of the terminal"
    )
    group.add_argument(
        "--wide", action="store_true", help="show all columns, even if the terminal is too narrow"
    )
    add_shape(parser.add_argument_group("shape of the table"))


def add_messages(parser: argparse.ArgumentParser) -> None:
    """What every command says beside its result."""
    group = parser.add_argument_group("progress and errors")
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print results and errors only: no progress, no warnings, no names of written files",
    )
    group.add_argument(
        "--no-defaults",
        action="store_true",
        help="leave out the defaults that a pyproject.toml sets in [tool.costlab.defaults]",
    )
    group.add_argument(
        "--traceback",
        action="store_true",
        help="with an error, show the calls that led to it, such as those in your model's code",
    )


def _format_name(name: str) -> str:
    """A format by its short name."""
    return "md" if name == "markdown" else name
