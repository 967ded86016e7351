"""`make bench`: how long costlab takes beside its peers, all measured in this run, and how far each
count is from the published one.

Each time is the median of repeats after a warm-up; a peer that takes long is run once, and marked
so. Ratios above 1 mean that costlab is faster. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import logging
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import types
import warnings

sys.modules.setdefault(
    "torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations")
)
import torch  # noqa: E402
import torchvision.models as tv  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import costlab  # noqa: E402
from costlab import zoo  # noqa: E402
from costlab.trace.build import build_on_meta  # noqa: E402

# published MACs: GoogLeNet's closed form (the caffe model's layers); torchvision's `_ops` for its
# own
MODELS = {"GoogLeNet": (lambda: zoo.build("googlenet"), 1582671872 / 1e9)}
for _name, _label in (
    ("resnet50", "ResNet-50"),
    ("vit_b_16", "ViT-B/16"),
    ("convnext_base", "ConvNeXt-Base"),
):
    MODELS[_label] = (
        lambda n=_name: tv.get_model(n, weights=None),
        tv.get_model_weights(_name).DEFAULT.meta["_ops"],
    )


def _conv(*after, bias=False):
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=bias), *after)


PLAIN = "convolution"
PARTS = {
    PLAIN: _conv,
    "bias": lambda: _conv(bias=True),
    "batch norm": lambda: _conv(nn.BatchNorm2d(8)),
    "ReLU": lambda: _conv(nn.ReLU()),
    "max pool": lambda: _conv(nn.MaxPool2d(2)),
    "global average pool": lambda: _conv(nn.AdaptiveAvgPool2d(1)),
}


def _fvcore(model, x):
    from fvcore.nn import FlopCountAnalysis

    return (
        FlopCountAnalysis(model, x)
        .unsupported_ops_warnings(False)
        .uncalled_modules_warnings(False)
        .total()
    )


def _torchinfo(model, x):
    import torchinfo

    return torchinfo.summary(model, input_data=x, verbose=0).total_mult_adds


def _ptflops(model, x):
    from ptflops import get_model_complexity_info

    return get_model_complexity_info(
        model,
        tuple(x.shape[1:]),
        print_per_layer_stat=False,
        as_strings=False,
        verbose=False,
        input_constructor=lambda _: {_first(model): x},
    )[0]


def _first(model):
    import inspect

    return (
        next(iter(inspect.signature(model.forward).parameters))
        if not isinstance(model, nn.Sequential)
        else "input"
    )


def _calflops(model, x):
    from calflops import calculate_flops

    return calculate_flops(
        model, args=[x], print_results=False, print_detailed=False, output_as_string=False
    )[1]


def _thop(model, x):
    import thop

    return thop.profile(model, (x,), verbose=False)[0]


def _torchlens(model, x):
    import torchlens

    return float(torchlens.trace(model, x).total_macs_forward)


def _costlab_cpu(model, x):
    return costlab.total(costlab.trace(model, x, device="cpu")).macs


def _flop_counter_cpu(model, x):
    return _flop_counter(model, (x,)) / 2


LIMIT = 120  # seconds a case
PEERS = {
    "costlab on CPU": _costlab_cpu,
    "FlopCounterMode": _flop_counter_cpu,
    "fvcore": _fvcore,
    "torchinfo": _torchinfo,
    "ptflops": _ptflops,
    "calflops": _calflops,
    "thop": _thop,
    "TorchLens": _torchlens,
}


def _quiet(fn):
    logging.disable(logging.WARNING)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        torch.no_grad(),
    ):
        warnings.simplefilter("ignore")
        return fn()


def _median(fn, repeats, once_after=2.0):
    """(median seconds, repeats, result); a first run over `once_after` seconds is the only one."""
    begin = time.perf_counter()
    result = _quiet(fn)
    first = time.perf_counter() - begin
    if first > once_after:
        return first, 1, result
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        _quiet(fn)
        times.append(time.perf_counter() - begin)
    return statistics.median(times), repeats, result


def _table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    print()


def start_up(repeats):
    """The whole process, alternated with `import torch` alone."""
    commands = {
        "import torch": [sys.executable, "-c", "import torch"],
        "costlab table googlenet": [sys.executable, "-m", "costlab", "table", "googlenet"],
    }
    times = {k: [] for k in commands}
    for _ in range(repeats + 1):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - begin)
    median = {k: statistics.median(v[1:]) for k, v in times.items()}
    base = median["import torch"]
    print("## Whole process (target: at most 1.3)\n")
    _table(
        ("process", "seconds", "ratio to import torch"),
        [(k, f"{v:.2f}", f"{v / base:.2f}") for k, v in median.items()],
    )


def case(peer, label, batch, repeats):
    """One peer on one model, in a process of its own, because some peers leave torch patched:
    prints JSON."""
    model, x = MODELS[label][0]().eval(), torch.rand(batch, 3, 224, 224)
    try:
        seconds, times, count = _median(lambda: PEERS[peer](model, x), repeats)
        result = {"seconds": seconds, "times": times, "count": count and float(count)}
    except Exception as e:  # a peer's failure is a result
        result = {"failed": type(e).__name__}
    print("\n" + json.dumps(result))


def counts(names):
    """GMACs of each model by each counter, as a Markdown table."""
    rows = {"reference": [1e9 * MODELS[name][1] for name in names], **_counted(names)}
    _by_counter(names, rows, lambda value: "failed" if value is None else f"{value / 1e9:.3f}")


def additions():
    """What each counter adds to the multiply-adds of a convolution for what stands around it, an
    output element, as a Markdown table."""
    names = [name for name in PARTS if name != PLAIN]
    elements = 8 * 224 * 224
    rows = {
        counter: [(value - plain) / elements for value in values]
        for counter, (plain, *values) in _counted([PLAIN, *names]).items()
    }
    _by_counter(names, rows, lambda value: f"{value:.2g}")


def _by_counter(names, rows, spelled):
    """Print a Markdown table whose columns are aligned, a row a counter."""
    widths = [max(len(name), 6) for name in names]
    first = max(map(len, rows))
    print(f"| {'counter':<{first}} |", " | ".join(map(str.rjust, names, widths)), "|")
    print(f"|{'-' * (first + 2)}|" + "".join(f"{'-' * (w + 1)}:|" for w in widths))
    for counter, values in rows.items():
        shown = map(str.rjust, map(spelled, values), widths)
        print(f"| {counter:<{first}} | {' | '.join(shown)} |")


def _counted(names):
    """Multiply-adds by each counter, which has a process of its own; None where it fails."""
    found = {}
    for peer in PEERS:
        command = [sys.executable, __file__, "--count", peer, *names]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[peer.removesuffix(" on CPU")] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def count(peer, names):
    """Multiply-adds of models by one counter, as JSON."""
    values = []
    for name in names:
        make = PARTS[name] if name in PARTS else MODELS[name][0]
        model, x = make().eval(), torch.rand(1, 3, 224, 224)
        try:
            values.append(float(_quiet(lambda: PEERS[peer](model, x)) or 0))  # noqa: B023  run at once
        except Exception:  # a peer's failure is a result
            values.append(None)
    print("\n" + json.dumps(values))


def _run_case(peer, label, batch, repeats):
    command = [sys.executable, __file__, "--case", peer, label, str(batch), str(repeats)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {LIMIT} s"}
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {"failed": f"died with {done.returncode}"}


def tracing(batches, repeats):
    """Trace with the graph and count; costlab runs on meta, the peers as they do, on the CPU."""
    print(
        "## Trace and count, in process: peer's time / costlab's on meta, "
        "and the error against the published MACs\n"
    )
    rows = []
    for label, (make, published) in MODELS.items():
        for batch in batches:
            meta, x = build_on_meta(make).eval(), torch.empty(batch, 3, 224, 224, device="meta")
            ours, _, total = _median(lambda: costlab.total(costlab.trace(meta, x)), repeats)  # noqa: B023
            row = [
                label,
                batch,
                f"{1e3 * ours:.0f} ms, {100 * (total.macs / batch / 1e9 / published - 1):+.2f}%",
            ]
            for peer in PEERS:
                r = _run_case(peer, label, batch, repeats)
                if "failed" in r:
                    row.append(f"failed: {r['failed']}")
                    continue
                error = (
                    f"{100 * (r['count'] / batch / 1e9 / published - 1):+.2f}%"
                    if r["count"]
                    else "no count"
                )
                row.append(
                    f"{r['seconds'] / ours:.1f}x{' (one run)' if r['times'] == 1 else ''}, {error}"
                )
            rows.append(row)
            print(f"{label} at batch {batch} done", file=sys.stderr, flush=True)
    _table(("model", "batch", "costlab on meta", *PEERS), rows)


def scaling(repeats):
    """On meta neither batch nor resolution costs time; time grows with the operations."""
    print("## Scaling on meta\n")
    make = MODELS["ResNet-50"][0]
    model = build_on_meta(make).eval()
    base = _median(
        lambda: costlab.trace(model, torch.empty(1, 3, 224, 224, device="meta")), repeats
    )[0]
    rows = []
    for what, shape in (("batch 64", (64, 3, 224, 224)), ("512 pixels", (1, 3, 512, 512))):
        t = _median(lambda: costlab.trace(model, torch.empty(shape, device="meta")), repeats)[0]  # noqa: B023
        rows.append((f"ResNet-50, {what} against batch 1 at 224", f"{t / base:.2f}"))
    per = {}
    for n in (3000, 30000):
        per[n] = _time_a_layer(n)
    rows.append(("time an operation, 30,000 layers against 3,000", f"{per[30000] / per[3000]:.2f}"))
    _table(("what", "ratio"), rows)


class _Passing(TorchDispatchMode):
    """Runs every operation and does nothing else: what any recorder costs at least."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


class _Scan(nn.Module):
    """The loop of Mamba over the steps of a sequence, in Python."""

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(16, 8)

    def forward(self, x):
        read = self.read(x)
        h, out = x.new_zeros(x.shape[0], 16, 8), []
        for t in range(x.shape[1]):
            h = h * 0.5 + x[:, t, :, None]
            out.append((h @ read[:, t, :, None])[..., 0])
        return torch.stack(out, 1)


class _Lstm(nn.Module):
    """A cell of an LSTM in a loop over the steps of a sequence."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(16, 16)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], 16)
        out = []
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
            out.append(h)
        return torch.stack(out, 1)


def _pass(model, x):
    with torch.no_grad(), _Passing():
        model(x)


def loops(repeats):
    """A Python loop over tokens: linear in steps, beside torch's own run under a mode."""
    print("## A loop over tokens, on meta (targets: at most twice torch's own; linear)\n")
    rows = []
    for what, kind in {"Mamba's scan": _Scan, "LSTM cells": _Lstm}.items():
        model, per_step = build_on_meta(kind).eval(), {}
        for steps in (500, 2000):
            x = torch.empty(1, steps, 16, device="meta")
            ours = _median(functools.partial(costlab.trace, model, x), repeats, 30)[0]
            torchs = _median(functools.partial(_pass, model, x), repeats, 30)[0]
            per_step[steps] = ours / steps
            rows.append((f"{what}, {steps:,} steps: time over torch's own", f"{ours / torchs:.2f}"))
        linear = per_step[2000] / per_step[500]
        rows.append((f"{what}: time a step, 2,000 steps against 500", f"{linear:.2f}"))
    _table(("what", "ratio"), rows)


def _time_a_layer(n):
    """Seconds to trace a sequence of `n` convolutions, for each of them."""
    deep = build_on_meta(lambda: nn.Sequential(*(nn.Conv2d(4, 4, 1) for _ in range(n))))
    x = torch.empty(1, 4, 8, 8, device="meta")
    return _median(lambda: costlab.trace(deep, x), 3, 30)[0] / n


def timm_models(count):
    """`count` timm models spread over its list: the time to trace and count each on meta, beside
    FlopCounterMode on the same model and input. Building is timed apart, as both need it."""
    import timm

    names = timm.list_models()
    names = [names[i * len(names) // count] for i in range(count)]
    spent = {"building on meta": 0.0, "costlab": 0.0, "FlopCounterMode": 0.0}
    ratios, failed, unlike = [], [], []
    warm = costlab.load("timm:resnet18", device="meta")
    _quiet(lambda: (_costlab_meta(warm.model, warm.inputs), _flop_counter(warm.model, warm.inputs)))
    for name in names:
        what = "building"
        try:
            loaded, built = _seconds(lambda: costlab.load(f"timm:{name}", device="meta"))  # noqa: B023  run at once
            what = "costlab"
            ours, macs = _seconds(lambda: _costlab_meta(built.model, built.inputs))  # noqa: B023  run at once
            what = "FlopCounterMode"
            theirs, flops = _seconds(lambda: _flop_counter(built.model, built.inputs))  # noqa: B023  run at once
        except Exception as e:  # a model that cannot be built or run is a result
            failed.append(f"{name} ({what}: {type(e).__name__})")
            continue
        for what, seconds in zip(spent, (loaded, ours, theirs), strict=True):
            spent[what] += seconds
        ratios.append(theirs / ours)
        if 2 * macs != flops:
            unlike.append(name)
    print(f"## {len(ratios)} timm models on meta, one run each after a model that warms both up\n")
    _table(
        ("what", "seconds", "time of FlopCounterMode / this"),
        [
            (what, f"{seconds:.1f}", f"{spent['FlopCounterMode'] / seconds:.2f}")
            for what, seconds in spent.items()
        ],
    )
    low, middle, high = (sorted(ratios)[int(q * (len(ratios) - 1))] for q in (0.1, 0.5, 0.9))
    print(f"Ratio a model: median {middle:.2f}, 10% under {low:.2f}, 10% over {high:.2f}.")
    print(f"Other counts than FlopCounterMode: {len(unlike)} ({', '.join(unlike[:8])}).")
    print(f"Failed: {', '.join(failed) or 'none'}.\n")


_BUDGETS = (
    "torchvision:resnet50",
    "torchvision:swin_t",
    "timm:vit_base_patch16_224",
    "timm:convnext_base",
    "timm:efficientnet_b0",
)
_CHECK = """import time, torch
begin = time.perf_counter(), time.process_time()
import costlab
assert costlab.check("pyproject.toml").passed
print(time.perf_counter() - begin[0], time.process_time() - begin[1])"""


def budgets(repeats):
    """`costlab check` of five models in a fresh process, from after `import torch` on: with the
    imports of costlab, torchvision and timm. CPU seconds beside it, for a machine in use."""
    limits = 'limits = ["macs <= 20G", "params <= 100M", "peak <= 200MB"]'
    tables = [f'[[tool.costlab.model]]\nmodel = "{name}"\n{limits}\n' for name in _BUDGETS]
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "pyproject.toml").write_text("".join(tables))
        here = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        for _ in range(repeats):
            done = subprocess.run(
                [sys.executable, "-c", _CHECK],
                cwd=folder,
                env=here,
                capture_output=True,
                text=True,
                check=True,
            )
            runs.append([float(x) / len(_BUDGETS) for x in done.stdout.split()])
    clock, cpu = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"## costlab check of {len(_BUDGETS)} models, beyond import torch\n")
    _table(("seconds a model", "CPU seconds a model"), [(f"{clock:.2f}", f"{cpu:.2f}")])


def _seconds(fn):
    begin = time.perf_counter()
    result = _quiet(fn)
    return time.perf_counter() - begin, result


def _costlab_meta(model, inputs):
    return costlab.total(costlab.trace(model, inputs, device="meta")).macs


def _flop_counter(model, inputs):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(*inputs)
    return counter.get_total_flops()


def scaled() -> bool:
    """Print the tables of scale.py; whether its limits are kept."""
    import scale  # only here: a copy of this file alone counts too

    return scale.report()


def main():
    """Run all parts; --quick leaves out batch 64, and takes 20 timm models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="batch 1 and 20 timm models only, fewer repeats"
    )
    parser.add_argument(
        "--case",
        nargs=4,
        metavar=("PEER", "MODEL", "BATCH", "REPEATS"),
        help="one measurement, as JSON (used by the benchmark)",
    )
    parser.add_argument(
        "--counts",
        nargs="+",
        choices=MODELS,
        metavar="MODEL",
        help="only what each counter counts of these models, as Markdown",
    )
    parser.add_argument(
        "--additions",
        action="store_true",
        help="only what each counter adds for biases, norms, ReLU and pools",
    )
    parser.add_argument(
        "--count", nargs="+", metavar="PEER MODEL", help="one counter, as JSON (used by --counts)"
    )
    parser.add_argument(
        "--scale",
        action="store_true",
        help="only networks of 10,000 and 100,000 operations, and a Llama of 70 billion params",
    )
    args = parser.parse_args()
    if args.scale:
        sys.exit(0 if scaled() else 1)
    if args.counts:
        return counts(args.counts)
    if args.additions:
        return additions()
    if args.count:
        return count(args.count[0], args.count[1:])
    if args.case:
        return case(args.case[0], args.case[1], int(args.case[2]), int(args.case[3]))
    repeats = 3 if args.quick else 5
    print(
        f"# costlab {costlab.__version__} beside its peers\n\ntorch {torch.__version__}, "
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads\n"
    )
    start_up(5 if args.quick else 9)
    scaling(repeats)
    scaled()
    loops(repeats)
    budgets(repeats)
    timm_models(20 if args.quick else 100)
    tracing((1,) if args.quick else (1, 64), repeats)


if __name__ == "__main__":
    main()
