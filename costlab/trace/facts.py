"""The facts of a trace and of a measurement that are kept by name, as JSON has them."""

from __future__ import annotations

from typing import Any, NotRequired, Required, TypedDict

# Arguments of an operation by schema name: numbers, texts, None, and tuples of these. Which one a
# name stands for, the operator's schema says and no type can.
Attributes = dict[str, Any]

# The state of a device at one moment: `load` (processes that run or wait on the host's cores), and
# of a GPU `sm_mhz`, `memory_mhz`, `watts`, `celsius` and `throttle` (NVML's bits of reasons).
Sample = dict[str, float]


class UseFacts(TypedDict):
    """A language model in use: `phase` "prefill" or "decode", `context` tokens a sequence, `batch`
    sequences, `cache_bytes` of the KV cache after prefill, `params` of the model, and
    `active_params` that one token uses."""

    phase: str
    context: int
    batch: int
    cache_bytes: int
    params: int
    active_params: int


class Provenance(TypedDict):
    """Where a trace is from. `model`: as it was named; `inputs`: of each its shape ("1x3x224x224")
    and its dtype; `device` it ran on; versions of `torch` and `costlab`; `date` in ISO 8601;
    `source`: the paper or library of the model; `notes`: what building and tracing had to say;
    `revision`: which version of the model: of a git repository, as "main (3f2c1ab)", or what was
    changed, as "googlenet with batch=8"."""

    model: str
    inputs: list[list[str]]
    device: str
    torch: str
    costlab: str
    date: str
    source: NotRequired[str]
    notes: NotRequired[list[str]]
    revision: NotRequired[str]
    use: NotRequired[UseFacts]


class Machine(TypedDict, total=False):
    """What a measurement ran on: the name of the `device` and what its speed depends on. `memory`
    in bytes."""

    device: Required[str]
    threads: int
    cores: int | None
    memory: int
    capability: str
    multiprocessors: int
    cuda: str | None
    cudnn: int | None
    driver: str | None


_Timed = TypedDict(  # names that are not identifiers
    "_Timed",
    {
        "cudnn.benchmark": bool,
        "blocks thrown away": int | None,
        "clocks before": Sample,
        "clocks after": Sample,
        "modules alone": str,
    },
    total=False,
)


class Conditions(Machine, _Timed, total=False):
    """What a reader of a measurement must know. `product`: the name of its matrix products among
    the ceilings; `cache`: bytes of the last cache; `method`: how the whole model was timed; "blocks
    thrown away": None where no block was steady; `compile` and "modules alone": why these times are
    missing; `joules`: of a call, by the energy counter of NVML."""

    dtype: Required[str]
    layout: Required[str]
    method: Required[str]
    torch: str
    tf32: bool
    product: str
    date: str
    cache: int
    notes: list[str]
    compile: str
    joules: float
