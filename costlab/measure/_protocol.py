"""The protocol: what is run, in which order, and what is kept. After ../shared/field/gpu-timing.md: totals without the host where that can be had,
operations in place, modules alone with warm and cold buffers, ceilings of the device in the same run."""

from __future__ import annotations

import contextlib
import copy
import datetime
import math
import os
import random
from dataclasses import replace

import torch
from torch import nn
from torch.utils import _pytree as pytree

from ..trace import Measured, ModuleTime, OpTime, Timing, Trace, TraceError
from ..trace._tracer import trace as run
from ._cpu import Cpu
from ._cuda import Cuda
from ._stats import align, timing
from ._watch import Watch

DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
_BLOCK = {"cpu": 0.01, "cuda": 0.001}  # seconds that a block of calls lasts at least
_LONG = 1.0  # seconds; a model that takes longer is measured in fewer blocks
_MODULE_BLOCKS, _RUNS = 7, 7
_COPIES, _VIEWS = 1024, 16384  # at most of a module with weights, and of inputs alone


class MeasureError(TraceError):
    """The model cannot be measured so; the message says why and what to try."""


@contextlib.contextmanager
def _flags(dtype):
    """cuDNN chooses its algorithms by trying, TF32 only where it was asked for, and an encoder layer is not one operation, so that times go to
    its modules; all as before afterwards."""
    cudnn, matmul, mha = torch.backends.cudnn, torch.backends.cuda.matmul, torch.backends.mha
    was, fast = (cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32), mha.get_fastpath_enabled()
    try:
        mha.set_fastpath_enabled(False)
        cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = (
            True,
            dtype == "tf32",
            dtype == "tf32",
        )
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = was
        mha.set_fastpath_enabled(fast)


def _device(name):
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "meta":
        raise MeasureError("meta tensors take no time; measure on cuda or cpu")
    if name not in ("cuda", "cpu"):
        raise MeasureError(f"unknown device {name!r}; measure on cuda or cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise MeasureError(
            "device cuda was asked for, but torch sees no CUDA device; use --device cpu"
        )
    return Cuda() if name == "cuda" else Cpu()


def ceilings(device, dtypes=("float32",)) -> dict:
    """FLOP/s of large matrix products by dtype (a square one, and one as a 1x1 convolution, which may come from another library), and bytes/s (read
    and written) of a large copy, the best of several tries."""
    n, size = (8192, 1 << 30) if device.kind == "cuda" else (1536, 1 << 28)
    found = {}
    for name in dtypes:
        with _flags("tf32" if name == "tf32" else "fp32"):
            dtype = torch.float32 if name == "tf32" else getattr(torch, name)
            try:
                a = torch.randn(n, n, device=device.kind).to(dtype)
                side, image = a[:, :, None, None], a.reshape(1, n, n // 32, 32)
                tries = (lambda: torch.mm(a, a), lambda: nn.functional.conv2d(image, side))  # noqa: B023
                found[name] = (
                    2 * n**3 / min(device.seconds(fn, 3) for _ in range(5) for fn in tries)
                )
            except RuntimeError:  # the device has no such product
                continue
    source = torch.empty(size // 4, dtype=torch.float32, device=device.kind).fill_(1)
    target = torch.empty_like(source)
    target.copy_(source)
    found["bandwidth"] = (
        2 * size / min(device.seconds(lambda: target.copy_(source), 3) for _ in range(5))
    )
    return found


def _repeats(device, fn) -> int:
    once = min(device.seconds(fn, 1) for _ in range(2))
    return max(device.calls, math.ceil(_BLOCK[device.kind] / max(once, 1e-7)))


def _blocks(device, fn, blocks):
    """Seconds a call in each steady block, how many were thrown away (None: none was steady, and all are kept), and the clocks before and
    after, sampled while the device works."""
    n = _repeats(device, fn)
    kept, all_, samples = [], [], [device.clocks(fn)]
    for _ in range(blocks):
        seconds = device.seconds(fn, n)
        samples.append(device.clocks(fn))
        all_.append(seconds)
        if device.steady(samples[-2], samples[-1]):
            kept.append(seconds)
    return kept or all_, len(all_) - len(kept) if kept else None, [samples[0], samples[-1]]


def _tensors(value):
    return [t for t in pytree.tree_leaves(value) if isinstance(t, torch.Tensor)]


def _leaves(model):
    return {id(m): name for name, m in model.named_modules() if not any(True for _ in m.children())}


def _captured(model, call):
    """(path, call, module, args, kwargs) of every leaf module call of one run."""
    leaves, calls, found = _leaves(model), {}, []

    def keep(module, args, kwargs):
        if id(module) in leaves:
            n = calls[id(module)] = calls.get(id(module), -1) + 1
            found.append((leaves[id(module)], n, module, args, kwargs))

    handles = [
        m.register_forward_pre_hook(keep, with_kwargs=True)
        for m in model.modules()
        if id(m) in leaves
    ]
    try:
        call()
    finally:
        for h in handles:
            h.remove()
    return found


def _rotated(device, module, args, kwargs):
    """Calls of copies of a module and its inputs, together larger than twice the last cache; None where they would not fit."""
    own = [*module.parameters(), *module.buffers()]
    size, most = (
        sum(t.numel() * t.element_size() for t in (*_tensors((args, kwargs)), *own)) or 1,
        _COPIES if own else _VIEWS,
    )
    n = math.ceil(2 * device.cache() / size) + 1
    if n > most or n * size > device.free() / 8:
        n = min(most, int(device.free() / 8 / size))
        if n * size < 2 * device.cache():
            return None
    copies = [
        (
            copy.deepcopy(module) if own else module,
            *pytree.tree_map(
                lambda t: t.clone() if isinstance(t, torch.Tensor) else t, (args, kwargs)
            ),
        )
        for _ in range(max(2, n))
    ]
    return [lambda m=m, a=a, k=k: m(*a, **k) for m, a, k in copies]


def _signature(module, args, kwargs):
    """What makes two calls alike: of torch's own modules what they show of themselves and their tensors; a user's module shows nothing."""
    shapes = [
        (tuple(t.shape), t.stride(), t.dtype)
        for t in (*_tensors((args, kwargs)), *module.parameters(), *module.buffers())
    ]
    return (
        type(module),
        repr(module),
        str(shapes),
        0 if type(module).__module__.startswith("torch.nn.") else id(module),
    )


def _chain(calls, keep=False):
    """One function that makes all the calls; with `keep` what they return stays until the last, so that each writes elsewhere."""

    def every():
        kept = []
        for fn in calls:
            out = fn()
            if keep:
                kept.append(out)
        return kept or out

    return every


def _alone(device, found, counts, progress):
    """Times of each leaf module call, alone, `counts` its operations; alike ones are measured once. Blocks of all modules are interleaved in random order."""
    cases = {}
    for path, n, module, args, kwargs in found:
        cases.setdefault(_signature(module, args, kwargs), []).append(
            (path, n, module, args, kwargs)
        )
    draw, samples = random.Random(0), {}
    plans = {}
    for i, (key, same) in enumerate(cases.items()):
        path, n, module, args, kwargs = same[0]
        progress(i, len(cases), path)
        warm = lambda m=module, a=args, k=kwargs: m(*a, **k)  # noqa: E731
        warm()
        rotated = _rotated(device, module, args, kwargs)
        plans[key, "warm"] = _plan(device, [warm])
        if rotated:
            plans[key, "cold"] = _plan(device, rotated)
    for _ in range(_MODULE_BLOCKS):
        order = list(plans)
        draw.shuffle(order)
        for name in order:
            fn, calls, repeats = plans[name]
            samples.setdefault(name, []).append(device.seconds(fn, repeats) / calls)
    times = []
    for key, same in cases.items():
        warm = timing(samples[key, "warm"])
        cold = timing(samples[key, "cold"]) if (key, "cold") in samples else None
        path, n, module, args, kwargs = same[0]
        host = device.host(lambda m=module, a=args, k=kwargs: m(*a, **k), counts.get((path, n), 1))  # noqa: B023
        times += [ModuleTime(path, n, warm, cold, host) for path, n, *_ in same]
    order = {(path, n): i for i, (path, n, *_) in enumerate(found)}
    return sorted(times, key=lambda t: order[t.path, t.call])


def _plan(device, calls):
    """(what to run, how many module calls that is, how often to run it in a block)."""
    once = min(device.seconds(calls[0], 1) for _ in range(2))
    if device.kind == "cuda":
        rounds = max(1, math.ceil(_BLOCK["cuda"] / max(once * len(calls), 1e-7)))
        replayed, _ = device.replay(_chain(calls * rounds, len(calls) > 1), shared=True)
        if replayed:  # a block of replays, so that the launch of the first one weighs little
            replay = min(device.seconds(replayed, 1) for _ in range(2))
            return (
                replayed,
                len(calls) * rounds,
                max(1, math.ceil(_BLOCK["cuda"] / max(replay, 1e-7))),
            )
    return (
        _chain(calls, len(calls) > 1),
        len(calls),
        max(1, math.ceil(_BLOCK[device.kind] / max(once * len(calls), 1e-7))),
    )


@contextlib.contextmanager
def _told():
    """What torch refuses is a MeasureError; the random state is put back."""
    state = torch.get_rng_state()
    try:
        yield
    except (RuntimeError, NotImplementedError) as e:
        if isinstance(e, TraceError):
            raise
        raise MeasureError(
            f"measuring failed: {type(e).__name__}: {(str(e).strip().splitlines() or [''])[0]}"
        ) from e
    finally:
        torch.set_rng_state(state)


def _place(device, dtype):
    if dtype not in DTYPES:
        raise MeasureError(f"unknown dtype {dtype!r}; choose {', '.join(DTYPES)}")
    place = _device(device)
    if dtype == "tf32" and place.kind != "cuda":
        raise MeasureError("tf32 products are for CUDA devices; choose fp32, bf16 or fp16")
    return place


def _ready(model, inputs, kwargs, place, dtype, channels_last):
    """A copy of the model in evaluation mode, and its inputs, on the device and in the dtype and layout."""
    if isinstance(inputs, dict):
        inputs, kwargs = (), {**inputs, **(kwargs or {})}
    elif not isinstance(inputs, (tuple, list)):
        inputs = (inputs,)

    def ready(t):
        if not isinstance(t, torch.Tensor):
            return t
        t = t.detach().to(place.kind)
        t = t.to(DTYPES[dtype]) if t.is_floating_point() else t
        return (
            t.contiguous(memory_format=torch.channels_last) if channels_last and t.dim() == 4 else t
        )

    args, kw = pytree.tree_map(ready, (tuple(inputs), dict(kwargs or {})))
    if any(t.device.type == "meta" for t in (*model.parameters(), *model.buffers())):
        raise MeasureError("the model has meta tensors; measure one with real weights")
    model = copy.deepcopy(model).to(place.kind, DTYPES[dtype]).eval()
    return model.to(memory_format=torch.channels_last) if channels_last else model, args, kw


def paired(
    first: nn.Module,
    second: nn.Module,
    inputs=(),
    kwargs=None,
    *,
    device="auto",
    dtype="fp32",
    channels_last=False,
    blocks=20,
) -> Timing:
    """How many times as long `second` takes as `first`, both run in turns, so that what drifts (clocks, temperature, other work) is in both: a
    Timing whose numbers are ratios. Arguments and errors as of `measure`."""
    place, draw = _place(device, dtype), random.Random(0)
    with _told(), _flags(dtype), torch.inference_mode():
        calls = []
        for model in (first, second):
            ready, args, kw = _ready(model, inputs, kwargs, place, dtype, channels_last)
            call = lambda m=ready, a=args, k=kw: m(*a, **k)  # noqa: E731
            for _ in range(place.warmups):
                call()
            calls.append(place.replay(call)[0] or call)
        counts = [_repeats(place, call) for call in calls]
        ratios = []
        for _ in range(blocks):
            order = [0, 1]
            draw.shuffle(order)
            took = {i: place.seconds(calls[i], counts[i]) for i in order}
            ratios.append(took[1] / took[0])
        return timing(ratios)


def measure(
    model: nn.Module,
    inputs=(),
    kwargs=None,
    *,
    device="auto",
    dtype="fp32",
    channels_last=False,
    compile=False,
    blocks=20,
    isolate=True,
    spec=None,
    progress=None,
) -> Trace:
    """Trace `model` and measure it: inference, in evaluation mode, on a copy of the model.

    Args:
        inputs, kwargs: as `costlab.trace` takes them; real values (zeros take less power, so clocks are higher).
        device: "cuda", "cpu" or "auto". dtype: a name of `DTYPES`; tf32 is float32 with TF32 products.
        channels_last: 4-d tensors as NHWC. compile: time `torch.compile(model)` too.
        blocks: of repeated calls of the whole model; fewer when it is slow. isolate: time single modules too.
        progress: called with (done, of, what).

    Returns a Trace whose `measured` is filled. Raises MeasureError for a device or dtype that is not to be had, TraceError when the model fails."""
    place, tell = _place(device, dtype), progress or (lambda *_: None)
    model, args, kw = _ready(model, inputs, kwargs, place, dtype, channels_last)
    os.environ.setdefault(
        "KINETO_LOG_LEVEL", "99"
    )  # the profiler says on stderr that it starts and stops
    with _told():
        tell(0, 6, "tracing")
        trace = run(model, args, kw, device=place.kind, spec=spec)
        with _flags(dtype), torch.inference_mode():
            return replace(
                trace,
                measured=_measured(
                    model,
                    args,
                    kw,
                    trace,
                    place,
                    dtype,
                    channels_last,
                    compile,
                    blocks,
                    isolate,
                    tell,
                ),
            )


def _measured(
    model, args, kwargs, trace, device, dtype, channels_last, compile, blocks, isolate, tell
) -> Measured:
    call = lambda: model(*args, **kwargs)  # noqa: E731
    tell(1, 6, "warming up")
    for _ in range(device.warmups):
        call()
    product = {"fp32": "float32", "tf32": "tf32", "bf16": "bfloat16", "fp16": "float16"}[dtype]
    tell(2, 6, "the device's ceilings")
    tops = ceilings(
        device,
        tuple(
            dict.fromkeys(
                (
                    product,
                    "float32",
                    *(("tf32", "bfloat16", "float16") if device.kind == "cuda" else ()),
                )
            )
        ),
    )
    blocks = min(blocks, max(5, round(20 * _LONG / max(device.seconds(call, 1), 1e-9))))
    conditions = {
        **device.describe(),
        "dtype": dtype,
        "layout": "channels-last" if channels_last else "contiguous",
        "torch": torch.__version__,
        "cudnn.benchmark": torch.backends.cudnn.benchmark,
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "product": product,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cache": device.cache(),
    }
    tell(3, 6, "the whole model")
    eager, thrown, clocks = _blocks(device, call, blocks)
    replayed, why = device.replay(call)
    samples = eager
    if replayed:
        samples, thrown, clocks = _blocks(device, replayed, blocks)
    conditions |= {
        "method": device.method
        if replayed or device.kind == "cpu"
        else f"calls from Python (no CUDA graph: {why})",
        "blocks thrown away": thrown,
        "clocks before": clocks[0],
        "clocks after": clocks[1],
    }
    del replayed
    tell(4, 6, "operations in place")
    ops, runs, other = device.in_place(model, call, _RUNS)
    seconds = [timing([r[i] for r in runs]).median for i in range(len(ops))]
    places = align(ops, [(o.name, o.module, o.call) for o in trace.ops])
    live, peak = device.memory(model, call)
    with Watch(model, sizes=True).watching() as watch:
        call()
    times = tuple(
        OpTime(name, places[i], seconds[i], watch.bytes[i], *live.get(i, (None, None)))
        for i, (name, _, _) in enumerate(ops)
    )
    modules = []
    if isolate:
        counts: dict[tuple, int] = {}
        for _, module, n in ops:
            counts[module, n] = counts.get((module, n), 0) + 1
        found = _captured(model, call)
        held = sum(t.numel() * t.element_size() for *_, a, k in found for t in _tensors((a, k)))
        if held < device.free() / 2:
            modules = _alone(
                device, found, counts, lambda i, n, path: tell(5, 6, f"module {i + 1} of {n} alone")
            )
        else:
            conditions["modules alone"] = "left out: their inputs do not fit beside one another"
    compiled = None
    if compile:
        tell(5, 6, "torch.compile")
        try:
            made = torch.compile(model)
            compiled = timing(_blocks(device, lambda: made(*args, **kwargs), blocks)[0])
        except Exception as e:  # a model that does not compile is a result
            conditions["compile"] = (
                f"failed: {type(e).__name__}: {(str(e).strip().splitlines() or [''])[0]}"
            )
    return Measured(
        timing(samples),
        timing(eager),
        times,
        tuple(modules),
        timing(other).median if other else 0.0,
        peak,
        tops,
        conditions,
        compiled,
    )
