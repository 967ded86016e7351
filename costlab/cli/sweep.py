"""`costlab sweep MODEL ... --over NAME=RANGE`: cost, memory and time over batch, resolution,
tokens and arguments of the factory."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Generator, Iterable, Iterator, Sequence

import costlab

from ..api._sweep import sweep_columns
from ._errors import UserError, errors
from ._extras import require
from ._models import building, get_profile, get_rate
from ._options import add_chart, add_measuring, add_model, add_output, add_profile, add_rate
from ._output import save_chart, show
from ._progress import progress_line
from ._types import Commands, Options

_GRID = ("resolution", "height", "width")
_LONGEST = 9  # digits of a size
_RESUMES = "finished results are in the journal; run the same command to continue"
_GRID_STEP = 32  # pixels from one resolution to the next, where no step is given


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "sweep",
        help="show cost, memory and time over batch, resolution or arguments",
        example="costlab sweep resnet18 --over resolution=160..256 --jobs 1",
    )
    add_model(p, several=True)
    p.add_argument(
        "--over",
        action="append",
        metavar="NAME=RANGE",
        required=True,
        help="NAME is batch, resolution, height, width, tokens, or an argument of the factory "
        "(written arg.NAME where it has one of these names); RANGE is 1..256 (doubling), "
        "160..320:32 (in steps of 32) or 1,2,3; repeat it to sweep over several",
    )
    _add_processes(p.add_argument_group("processes"))
    _add_measured(p.add_argument_group("measurement"))
    add_profile(p)
    add_rate(p)
    add_chart(p.add_argument_group("chart"), "draw the curves over the first range")
    add_output(p)
    p.set_defaults(run=run, columns_of=_columns)


def _add_processes(options: Options) -> None:
    """Where the configurations run, and where their outcomes are kept."""
    options.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="number of processes (default: the number of cores; 1 with --measure)",
    )
    options.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="local processes or a Dask cluster (default: local)",
    )
    options.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of the Dask scheduler (default: start a cluster on this machine)",
    )
    options.add_argument(
        "--journal",
        metavar="FILE.jsonl",
        help="save each result as soon as it is computed; the same command resumes a sweep that "
        "was interrupted",
    )


def _add_measured(options: Options) -> None:
    """Whether each configuration is run for real, and how."""
    options.add_argument(
        "--measure",
        action="store_true",
        help="run each configuration, one at a time, and measure its time and memory",
    )
    add_measuring(options)


def values(name: str, text: str) -> Sequence[int | str]:
    """The values of a range: 1..8 doubles (resolution, height, width: in steps of 32), 1..8:2
    steps, 1,2,x lists."""
    found = re.fullmatch(r"(\d+)\.\.(\d+)(?::(\d+))?", text)
    if not found:
        return _listed(name, text)
    if max(len(found[1]), len(found[2])) > _LONGEST:
        raise UserError(f"--over {name}={text}: a size has {_LONGEST} digits at most")
    low, high = int(found[1]), int(found[2])
    if low > high or low < 1:
        raise UserError(f"--over {name}={text} is empty; write the smaller number first, from 1")
    step = int(found[3] or (_GRID_STEP if name in _GRID else 0))
    return range(low, high + 1, step) if step else list(_doubled(low, high))


def _listed(name: str, text: str) -> list[int | str]:
    words = [v.strip() for v in text.split(",")]
    if ".." in text or not all(words):
        raise UserError(
            f"cannot read --over {name}={text}; write it as 1..256, 160..320:32 or 1,2,3"
        )
    return [int(v) if v.isdecimal() and len(v) <= _LONGEST else v for v in words]


def _doubled(low: int, high: int) -> Iterator[int]:
    while low <= high:
        yield low
        low *= 2


def run(args: argparse.Namespace) -> int | None:
    """Run all configurations, render; exit code 1 where every one of them failed."""
    axes = _axes(args.over)
    if args.engine == "dask":
        require("dask", "the dask engine")
    with errors(), _resumable(args.journal):
        result = costlab.sweep(
            *args.model,
            over=axes,
            measure=args.measure,
            dtype=args.dtype,
            channels_last=args.channels_last,
            compile=args.compile,
            profile=get_profile(args),
            rate=get_rate(args),
            jobs=args.jobs,
            engine=args.engine,
            scheduler=args.scheduler,
            journal=args.journal,
            progress=lambda done, of: progress_line(f"{done} of {of} configurations"),
            **building(args),
        )
    if args.chart:
        save_chart(args, args.chart, result.chart())
    show(args, result.sheet, costly=True)
    return 1 if result.failed == len(result.outcomes) else 0


def _columns(args: argparse.Namespace):
    """The columns that the table can have."""
    return sweep_columns(
        args.model,
        _axes(args.over),
        args.phase,
        measured=args.measure,
        predicted=args.profile is not None,
        priced=args.rate is not None,
    )


@contextlib.contextmanager
def _resumable(journal: str | None) -> Generator[None]:
    """What stops a sweep with a journal says that it can go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.args = (_RESUMES,) if journal else ()
        raise


def _axes(over: Iterable[str]) -> dict[str, Sequence[int | str]]:
    """The values by axis, in the order in which they were given."""
    axes: dict[str, Sequence[int | str]] = {}
    for item in over:
        name, eq, text = item.partition("=")
        if not eq or not name.removeprefix("arg.").isidentifier():
            raise UserError(f"cannot read --over {item!r}; write it as batch=1..256")
        if name in axes:
            raise UserError(f"--over {name} is given twice; list all its values in one")
        axes[name] = values(name, text)
    return axes
