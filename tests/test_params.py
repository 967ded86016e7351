"""Every parameter element is counted once, in one row, and by what it is used for."""

from importlib.util import find_spec

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  the name that torch documents
from torch.nn.utils import parametrizations

import costlab
from costlab.tables import table

z = torch.zeros


class Fn(nn.Module):
    """`forward` is a function of the module and its inputs; keywords become parameters."""

    def __init__(self, fn, **params):
        super().__init__()
        self.fn = fn
        for name, value in params.items():
            setattr(self, name, nn.Parameter(value))

    def forward(self, *x):
        return self.fn(self, *x)


class Standardized(nn.Conv2d):
    """Weight standardization (Qiao et al. 2019) by plain arithmetic, with a gain."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))

    def forward(self, x):
        w = self.weight
        w = (w - w.mean((1, 2, 3), True)) / w.std((1, 2, 3), keepdim=True)
        return F.conv2d(x, w * self.gain, self.bias)


class NormStandardized(nn.Conv2d):
    """As timm's ScaledStdConv2d: the weight is the input of a batch norm, the gain its scale."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.gain = nn.Parameter(torch.ones(self.out_channels))

    def forward(self, x):
        flat = self.weight.reshape(1, self.out_channels, -1)
        w = F.batch_norm(flat, None, None, weight=self.gain * 0.5, training=True)
        return F.conv2d(x, w.reshape_as(self.weight), self.bias)


class Queries(nn.Module):
    """Learned queries through a norm and a projection, as in detection transformers."""

    def __init__(self):
        super().__init__()
        self.queries = nn.Parameter(z(5, 8))
        self.norm, self.q = nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return self.q(self.norm(self.queries)) @ x.T


image = z(1, 3, 6, 6)
conv = lambda: nn.Conv2d(3, 8, 3, bias=False)  # noqa: E731
ROLES = {
    # name: (model, input, weights, biases, scales) - derivation
    "conv 3->8 k3: 216; 8": (nn.Conv2d(3, 8, 3), image, 216, 8, 0),
    "weight norm: v 8*3*9, g 8": (nn.utils.weight_norm(conv()), image, 216, 0, 8),
    "weight norm as a parametrization": (parametrizations.weight_norm(conv()), image, 216, 0, 8),
    "spectral norm": (parametrizations.spectral_norm(conv()), image, 216, 0, 0),
    "standardized weights, gain 8": (Standardized(3, 8, 3), image, 216, 8, 8),
    "standardized by a norm": (NormStandardized(3, 8, 3), image, 216, 8, 8),
    "queries 5*8 and 8*8 through a norm of 8+8": (Queries(), z(4, 8), 104, 16, 8),
    "norm's scale over a whole grid is no weight": (nn.LayerNorm((3, 6, 6)), image, 0, 108, 108),
    "batch norm": (nn.BatchNorm2d(3), image, 0, 3, 3),
    "rms norm": (nn.RMSNorm(8), z(2, 8), 0, 0, 8),
    "prelu": (nn.PReLU(3), image, 0, 0, 3),
    "low-rank update 4*2 and 2*6 of 4*6": (
        Fn(lambda m, x: x @ (m.w + m.a @ m.b), w=z(4, 6), a=z(4, 2), b=z(2, 6)),
        z(3, 4),
        44,
        0,
        0,
    ),
    "one flat parameter, seen as a filter": (
        Fn(lambda m, x: F.conv2d(x, m.flat.view(8, 3, 3, 3)), flat=z(216)),
        image,
        216,
        0,
        0,
    ),
    "a vector by a matrix is a product": (Fn(lambda m, x: x @ m.w, w=z(6)), z(3, 6), 6, 0, 0),
    "layer scale (8, 1, 1) and a shift": (
        Fn(lambda m, x: x * m.g + m.s, g=z(3, 1, 1), s=z(1, 3, 1, 1)),
        image,
        0,
        3,
        3,
    ),
    "learned positions 4*8 are weights, a class token is not": (
        Fn(lambda m, x: torch.cat([m.t, x + m.p], 1), p=z(1, 4, 8), t=z(1, 1, 8)),
        z(1, 4, 8),
        32,
        8,
        0,
    ),
    "bias of addmm": (nn.Linear(4, 5), z(3, 4), 20, 5, 0),
    "embedding": (nn.Embedding(10, 4), z(3, dtype=torch.long), 40, 0, 0),
    "one row of an embedding": (nn.Embedding(1, 4), z(3, dtype=torch.long), 4, 0, 0),
    "unused: by shape": (
        Fn(lambda m, x: x + 1, w=z(4, 5), b=z(5)),
        z(2, 2),
        20,
        5,
        0,
    ),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("case", ROLES)
def test_roles_are_those_of_the_operands(case, device):
    model, x, weights, biases, scales = ROLES[case]
    found = costlab.total(costlab.trace(model.eval(), x, device=device))
    assert (found.weights, found.biases, found.scales) == (weights, biases, scales)
    assert found.params == sum(p.numel() for p in model.parameters())


def needs(library):
    """Skip where a library is not installed; importing it is left to `costlab.load`."""
    if not find_spec(library):
        pytest.skip(f"{library} is not installed")


def assert_params_add_up(model, x):
    """Rows and roles both add up to all parameters; those of no row are named in a note."""
    trace = costlab.trace(model.eval(), x, device="meta")
    whole, shown = costlab.total(trace), table(trace, "layers", "macs")
    count = sum(p.numel() for p in model.parameters())
    used = {p for op in trace.forward for p in op.params}
    unused = sum(p.numel for i, p in enumerate(trace.params) if i not in used)
    assert whole.params == count == whole.weights + whole.biases + whole.scales
    assert sum(r.params for r in shown.rows) == shown.params == count - unused
    assert not unused or any(f"{unused:,} params were not used" in n for n in shown.notes)


def build(library, name):
    """A model of a library on meta, and its default input."""
    loaded = costlab.load(f"{library}:{name}", device="meta")
    return loaded.model, loaded.inputs


QUICK = [
    ("torchvision", "resnet18"),
    ("torchvision", "vit_b_16"),
    pytest.param("torchvision", "swin_t", marks=pytest.mark.slow),
    ("timm", "nf_resnet26"),
    ("timm", "convnext_atto"),
    pytest.param("timm", "cait_xxs24_224", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("library, name", QUICK)
def test_params_of_rows_and_roles_add_up(library, name):
    needs(library)
    assert_params_add_up(*build(library, name))


def _torchvision():
    costlab.load("torchvision:alexnet", device="meta")  # which imports torchvision
    from torchvision import models

    return models.list_models(module=models)


def _timm():
    """300 models spread over the whole sorted list."""
    import timm

    names = timm.list_models()
    return [names[i * len(names) // 300] for i in range(300)]


@pytest.mark.slow
@pytest.mark.parametrize("library, names", [("torchvision", _torchvision), ("timm", _timm)])
def test_params_of_every_model_add_up(library, names):
    needs(library)
    wrong = {}
    for name in names():
        try:
            assert_params_add_up(*build(library, name))
        except AssertionError as e:
            wrong[name] = str(e).splitlines()[0]
    assert not wrong


def test_nf_resnet50_has_its_weights_in_the_table():
    needs("timm")
    model, x = build("timm", "nf_resnet50")
    found = costlab.total(costlab.trace(model, x, device="meta"))
    # 25,557,032 of ResNet-50 less its 53 batch norms' scales and shifts, with biases and gains
    assert found.params == sum(p.numel() for p in model.parameters()) == 25_557_032
    assert found.weights > 0.99 * found.params
