"""Counts are the same on every device, in every column that a table or a report prints."""

import importlib.util
import sys
import warnings
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from selection import slow_but_every
from torch import nn
from torch.nn import functional

import costlab
from costlab.measure.naming import RunName
from costlab.trace.build import build_on_meta

ROOT = Path(costlab.__file__).parents[1]
MEASURED = sorted((ROOT / "reports" / "measurements").glob("*.trace"))


def columns(trace):
    """Every total of the forward and of the backward pass, and the operations by name."""
    found = {}
    for part in ("forward", "backward"):
        ops = getattr(trace, part)
        total = costlab.total(trace, ops)
        found[part] = {f.name: getattr(total, f.name) for f in fields(total)}
        found[part]["names"] = [op.name for op in ops]
    return found


# name: side of the image; small where the model takes any size
TORCHVISION = {
    **dict.fromkeys(
        (
            "alexnet",
            "vgg11_bn",
            "resnet18",
            "resnext50_32x4d",
            "wide_resnet50_2",
            "densenet121",
            "squeezenet1_0",
            "shufflenet_v2_x1_0",
            "mobilenet_v2",
            "mobilenet_v3_small",
            "mnasnet0_5",
            "efficientnet_b0",
            "efficientnet_v2_s",
            "regnet_x_400mf",
            "regnet_y_400mf",
            "convnext_tiny",
            "swin_t",
            "swin_v2_t",
            "googlenet",
        ),
        64,
    ),
    "inception_v3": 96,
    "maxvit_t": 224,
    "vit_b_32": 224,
}
# one of each kind of network for each run: plain, residual, grouped, squeezed, shuffled, inverted,
# gated, patchified, with branches; the others are slow
QUICK = {"resnext50_32x4d", "squeezenet1_0", "shufflenet_v2_x1_0", "mobilenet_v3_small"}
QUICK |= {"googlenet"}
# of timm: blocks by configuration, split attention, mixed attention and convolutions, weights that
# are scaled
QUICK |= {"test_byobnet", "resnest14d", "edgenext_xx_small", "test_nfnet", "test_vit2"}
QUICK |= {"lcnet_050", "test_mambaout", "test_efficientnet"}
TIMM = {
    **dict.fromkeys(
        (
            "nf_resnet26",
            "resnest14d",
            "res2net50_26w_4s",
            "hrnet_w18_small",
            "lcnet_050",
            "fastvit_t8",
            "edgenext_xx_small",
            "mobilevit_xxs",
            "starnet_s1",
            "test_byobnet",
            "test_convnext",
            "test_efficientnet",
            "test_mambaout",
            "test_nfnet",
            "test_resnet",
            "test_vit",
            "test_vit2",
            "test_vit3",
            "test_vit4",
        ),
        160,
    ),
    **dict.fromkeys(
        (
            "efficientformerv2_s0",
            "levit_128s",
            "mixer_s32_224",
        ),
        224,
    ),
}
SLOW = {
    **dict.fromkeys(
        (
            "resnet26d",
            "ecaresnet26t",
            "dla34",
            "ghostnet_100",
            "dpn48b",
            "cspresnet50",
            "darknet17",
            "mixnet_s",
            "tinynet_e",
            "fbnetc_100",
            "semnasnet_075",
            "spnasnet_100",
            "rexnet_100",
            "repvgg_a0",
            "mobileone_s0",
            "convnextv2_atto",
            "poolformer_s12",
            "mambaout_femto",
            "mobilevitv2_050",
            "repghostnet_050",
            "hgnetv2_b0",
            "inception_next_tiny",
            "starnet_s2",
        ),
        160,
    ),
    **dict.fromkeys(
        (
            "vit_tiny_patch16_224",
            "deit_tiny_patch16_224",
            "xcit_nano_12_p16_224",
            "coat_lite_tiny",
            "cait_xxs24_224",
            "twins_svt_small",
            "gcvit_xxtiny",
            "volo_d1_224",
            "hiera_tiny_224",
            "nest_tiny",
            "crossvit_tiny_240",
            "visformer_tiny",
            "convit_tiny",
            "tnt_s_legacy_patch16_224",
            "sequencer2d_s",
            "resmlp_12_224",
            "gmlp_s16_224",
            "eva02_tiny_patch14_224",
            "beit_base_patch16_224",
            "swinv2_cr_tiny_224",
            "maxvit_nano_rw_256",
            "focalnet_tiny_srf",
            "davit_tiny",
        ),
        None,  # its own
    ),
}


def _model(library, name):
    warnings.simplefilter("ignore")
    if library == "timm":
        timm = pytest.importorskip("timm")
        return timm.create_model(name)
    torchvision = pytest.importorskip("torchvision")
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, **extra)


def _cpu_and_meta(model, *inputs, **options):
    return [columns(costlab.trace(model, inputs, device=d, **options)) for d in ("cpu", "meta")]


@pytest.mark.parametrize(
    "library, name, side",
    [
        *(
            pytest.param("torchvision", name, side, marks=[pytest.mark.slow] * (name not in QUICK))
            for name, side in TORCHVISION.items()
        ),
        *(
            pytest.param("timm", name, side, marks=[pytest.mark.slow] * (name not in QUICK))
            for name, side in {**TIMM, **SLOW}.items()
        ),
    ],
)
def test_meta_counts_what_the_cpu_counts(library, name, side):
    model = _model(library, name).eval()
    if side is None:
        side = model.pretrained_cfg["input_size"][-1]
    cpu, meta = _cpu_and_meta(model, torch.zeros(1, 3, side, side))
    assert cpu == meta and cpu["forward"]["macs"] > 0


class Masked(nn.Module):
    """Writes numbers in every way that indexing knows."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        mask = torch.zeros(8, 8, device=x.device)
        mask[0:4, 2:3] = 1
        mask[0] = 2
        mask[1, 1] = 3.0
        mask[mask > 1] = 0.0
        mask[torch.tensor([1, 2])] = 4
        mask[...] = 2
        return self.fc(x) + mask


class Writes(nn.Module):
    """Writes values without dimensions: from Python, of the model's own, computed, of another
    dtype."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)
        self.register_buffer("value", torch.tensor(3.0))

    def forward(self, x):
        x = self.fc(x)
        mask = x.new_zeros(8, 8)
        mask[0] = torch.tensor(2.0)
        mask[0:4, 1:3] = torch.tensor(2)
        mask[1] = self.value
        mask[2] = x.sum()
        mask[3, 3] = x.sum()
        mask[mask > 1] = torch.tensor(2.0)
        mask[torch.tensor([1, 2])] = torch.tensor(2.0)
        mask[4] = True
        mask[...] = torch.tensor(1.0, dtype=torch.float64)
        mask[5].fill_(x.sum())
        mask[6].copy_(torch.tensor(2.0))
        mask = mask.index_put((torch.tensor([1, 2]),), torch.tensor(2.0))
        mask = mask.masked_fill(x > 0, torch.tensor(-1.0)).masked_fill(x > 1, float("-inf"))
        return torch.where(x > 0, mask, torch.tensor(0.0)) + torch.tensor([1.0] * 8).to(x)


@pytest.mark.parametrize("module", [Masked, Writes])
def test_writes_are_the_same_operations_on_the_cpu_and_on_meta(module):
    model = module()

    def ops(device):
        trace = costlab.trace(model, torch.zeros(8, 8), device=device)
        return [
            (op.name, trace.shapes(op), [trace.tensors[i] for i in op.outputs]) for op in trace.ops
        ]

    assert ops("cpu") == ops("meta")
    assert not any(name == "aten.copy_" for name, _, _ in ops("meta"))


class Dropped(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.norm = nn.Linear(8, 8), nn.BatchNorm1d(8)

    def forward(self, x):
        return self.norm(functional.dropout(self.fc(x), training=self.training))


MODULES = {  # what backends do in other ways: a module and the shape of its input
    "numbers into a mask": (Masked, (8, 8)),
    "dropout": (Dropped, (8, 8)),
    "batch norm": (lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)), (2, 4, 6, 6)),
    "batch norm of the input": (
        lambda: nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)),
        (2, 4, 6, 6),
    ),
    "instance norm": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.InstanceNorm2d(4)),
        (2, 4, 6, 6),
    ),
    "group norm": (lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.GroupNorm(2, 4)), (2, 4, 6, 6)),
    "layer norm": (lambda: nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)), (3, 8)),
    "RMS norm": (lambda: nn.Sequential(nn.Linear(8, 8), nn.RMSNorm(8)), (3, 8)),
    "LSTM cell": (lambda: nn.LSTMCell(8, 8), (3, 8)),
    "GRU cell": (lambda: nn.GRUCell(8, 8), (3, 8)),
    "LSTM": (lambda: nn.LSTM(8, 8, 2, bidirectional=True), (5, 3, 8)),
    "GRU": (lambda: nn.GRU(8, 8), (5, 3, 8)),
    "encoder layer": (lambda: nn.TransformerEncoderLayer(8, 2, 16), (3, 2, 8)),
    "transposed convolution": (lambda: nn.ConvTranspose2d(4, 4, 3, stride=2), (2, 4, 6, 6)),
    "adaptive pool": (
        lambda: nn.Sequential(nn.Conv2d(4, 4, 1), nn.AdaptiveAvgPool2d(2)),
        (2, 4, 6, 6),
    ),
}


@pytest.mark.parametrize("backward", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("make, shape", MODULES.values(), ids=MODULES)
def test_modules_count_the_same_on_every_device(make, shape, dtype, backward):
    model, x = make().to(dtype), torch.rand(shape, dtype=dtype)
    counts = [
        columns(costlab.trace(model, x, device=d, train=backward, backward=backward))
        for d in ("meta", "cpu", *(["cuda"] if torch.cuda.is_available() else []))
    ]
    assert all(c == counts[0] for c in counts) and bool(counts[0]["backward"]["ops"]) == backward


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_of_embeddings_count_the_same(mode):
    model, ids = nn.EmbeddingBag(10, 4, mode=mode), torch.tensor([[1, 2, 3], [3, 4, 5]])
    for backward in (False, True):
        cpu, meta = _cpu_and_meta(model, ids, backward=backward)
        assert cpu == meta


def _measure_script():
    spec = importlib.util.spec_from_file_location("measure_reports", ROOT / "reports/measure.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cases():
    """The cases of reports/measure.py by what their files are called, the device apart."""
    return {_without_device(c.file("cpu")): c for c in _measure_script().cases()}


def _without_device(name):
    model, _, *rest = name.split(".")
    return (model, *rest)


@pytest.fixture(scope="module")
def on_meta(cases):
    """The counts of a case on `meta`, once for all devices that it was measured on."""
    known = {}

    def counts(key):
        if key not in known:
            case = cases[key]
            layout = torch.channels_last if case.channels_last else torch.contiguous_format
            dtype = torch.bfloat16 if case.dtype == "bf16" else torch.float32
            model = build_on_meta(case.make).eval().to(dtype=dtype, memory_format=layout)
            x = torch.empty(case.shape, device="meta", dtype=dtype).to(memory_format=layout)
            known[key] = columns(costlab.trace(model, x, device="meta"))
        return known[key]

    return counts


@pytest.mark.parametrize("file", slow_but_every(12, MEASURED), ids=lambda f: f.stem)
def test_a_trace_of_a_gpu_counts_what_meta_counts(file, on_meta):
    trace = costlab.Trace.load(file)
    found, expected = columns(trace), on_meta(_without_device(RunName.of(trace).file))
    for part in found:
        if found[part]["trainable"] is None:  # measured before traces recorded it
            expected = {**expected, part: {**expected[part], "trainable": None}}
    assert trace.measured and found == expected
