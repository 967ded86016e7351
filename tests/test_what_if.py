"""A model beside what it would be with other inputs or kernels."""

import pytest
import torch
from torch import nn

import costlab
from costlab.analysis.change import Change


def network(*, kernel=5, **options):
    """A 1x1 and a k x k convolution on 8x8, a norm and a linear layer."""
    options = {"padding": kernel // 2, "bias": False, **options}
    return nn.Sequential(
        nn.Conv2d(3, 4, 1, bias=False),
        nn.Conv2d(4, 6, kernel, **options),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 2, bias=False),
    )


def changed(model, changes, shape=(1, 3, 8, 8)) -> Change:
    return costlab.what_if(costlab.load(model, torch.zeros(shape)), changes)


GRID = 8 * 8
HEAD = 6 * 2
# changes -> MACs of the 1x1 and the 5x5 convolution and the linear layer afterwards
SIZES = {
    ("batch=3",): 3 * (GRID * 12 + GRID * 600 + HEAD),
    ("resolution=16",): 16 * 16 * (12 + 600) + HEAD,
    ("height=16",): 16 * 8 * (12 + 600) + HEAD,
    ("width=4", "batch=2"): 2 * (8 * 4 * (12 + 600) + HEAD),
    ("kernel=5:3",): GRID * (12 + 4 * 6 * 9) + HEAD,
    ("kernel=5:7",): GRID * (12 + 4 * 6 * 49) + HEAD,
    ("kernel=1:3",): GRID * (3 * 4 * 9 + 600) + HEAD,
    ("kernel=5:3", "resolution=16"): 256 * (12 + 4 * 6 * 9) + HEAD,
}


@pytest.mark.parametrize("changes", SIZES, ids=" ".join)
def test_macs(changes):
    found = changed(network(), changes)
    assert found.macs.base == GRID * (12 + 600) + HEAD
    assert found.macs.head == SIZES[changes]


def test_a_batch_is_traced_and_not_multiplied():
    """What is worked out once for all images of a batch does not grow with it."""

    class Hyper(nn.Module):
        def __init__(self):
            super().__init__()
            self.code, self.maker = nn.Parameter(torch.zeros(1, 5)), nn.Linear(5, 3 * 4, bias=False)

        def forward(self, x):
            return x.flatten(1)[:, :3] @ self.maker(self.code).view(3, 4)

    found = changed(Hyper(), "batch=7")
    assert (found.macs.base, found.macs.head) == (5 * 12 + 3 * 4, 5 * 12 + 7 * 3 * 4)


class Routed(nn.Module):
    """A token goes to the expert, of two, that the sign of its first value says."""

    def __init__(self):
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(4, 4, bias=False) for _ in range(2))

    def forward(self, x):
        return [expert(x[(x[:, 0] > 0) == bool(i)]) for i, expert in enumerate(self.experts)]


def test_a_larger_batch_is_of_the_same_values():
    """Three tokens take the first expert and one the second; of 8 tokens six and two, which zeros
    would all send to the first."""
    tokens = torch.tensor([-1.0, 1.0, -1.0, -1.0])[:, None].expand(4, 4)
    found = costlab.what_if(costlab.load(Routed(), tokens), "batch=8")
    macs = {step.name: step.macs for step in found.steps if step.macs != (0, 0)}
    assert macs == {"experts.0": (3 * 16, 6 * 16), "experts.1": (16, 2 * 16)}


# p' = p - d (k - k') / 2, and the weights of a 5x5 convolution as a 3x3 one
KERNELS = {
    "padding 2": {"padding": 2},
    "padding same": {"padding": "same"},
    "stride 2": {"padding": 2, "stride": 2},
    "an uneven padding": {"padding": (2, 3)},
    "dilation 2": {"padding": 4, "dilation": 2},
    "groups": {"padding": 2, "groups": 2},
    "reflected": {"padding": 2, "padding_mode": "reflect"},
    "circular, same": {"padding": "same", "padding_mode": "circular"},
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("side", [3, 7])
def test_grids_stay(name, side):
    """The MACs are side^2 / 25 of what they were, which they are only on the same grid."""
    options = KERNELS[name]
    model = network(**options)
    trace = costlab.trace(model, torch.zeros(1, 3, 8, 8), device="meta")
    conv = sum(costlab.cost_of(trace, op).macs for op in trace.ops if op.module == "1")
    found = changed(model, f"kernel=5:{side}")
    assert found.macs.head == found.macs.base - conv + conv * side**2 // 25
    weights = 4 * 6 // options.get("groups", 1)
    assert found.params.head - found.params.base == weights * (side**2 - 25)


def test_one_dimension_and_transposed():
    model = nn.Sequential(
        nn.Conv1d(2, 3, 5, padding=2), nn.ConvTranspose1d(3, 2, 5, stride=2, padding=2)
    )
    found = changed(model, "kernel=5:3", shape=(1, 2, 9))
    assert found.macs.base == 9 * 2 * 3 * 5 + 9 * 3 * 2 * 5
    assert found.macs.head == 9 * 2 * 3 * 3 + 9 * 3 * 2 * 3


def test_other_kernels_stay():
    """A 1x5 kernel is not one of 5 on each side."""
    model = nn.Sequential(nn.Conv2d(3, 3, (1, 5)), nn.Conv2d(3, 3, 5, padding=2))
    found = changed(model, "kernel=5:3")
    assert found.params.base - found.params.head == 3 * 3 * (25 - 9)


def test_the_model_stays_as_it_was():
    model = network()
    weight = model[1].weight
    changed(model, "kernel=5:3")
    assert model[1].weight is weight and model[1].kernel_size == (5, 5)


def test_googlenet():
    """Its 5x5 convolutions take (c_in, c_out) on grids of 28, 14 and 7; 16 of 25 weights go."""
    fives = {
        28: [(16, 32), (32, 96)],
        14: [(16, 48), (24, 64), (24, 64), (32, 64), (32, 128)],
        7: [(32, 128), (48, 128)],
    }
    found = costlab.what_if("googlenet", "kernel=5:3")
    saved = sum(16 * grid**2 * a * b for grid, pairs in fives.items() for a, b in pairs)
    assert found.macs.base - found.macs.head == saved
    assert found.params.base - found.params.head == 16 * sum(
        a * b for pairs in fives.values() for a, b in pairs
    )
    assert found.head == "googlenet with kernel=5:3"


REFUSED = {
    "batch": "cannot read 'batch'; write it as batch=N",
    "batch=0": "cannot read 'batch=0'",
    "depth=3": "cannot read 'depth=3'",
    "batch=1000000000": "with numbers from 1, of 9 digits at most",
    f"batch={'9' * 5000}": "cannot read 'batch=9999",
    f"kernel={'9' * 5000}:3": "cannot read 'kernel=9999",
    "kernel=5": "cannot read 'kernel=5'; write it as kernel=5:3",
    "kernel=5:5": "kernel=5:5 changes nothing",
    "tokens=4": "has no tokens: its inputs are 1x3x8x8",
    "kernel=9:3": "has no convolution whose kernel is 9 on each side",
    "kernel=5:4": "1 cannot keep its grid: no padding of a kernel of 4 matches padding 2 of a",
}


def test_an_input_that_no_tensor_can_be():
    """3 x 10^9 x 10^9 float32 are 12 x 10^18 bytes, more than 2^63."""
    with pytest.raises(ValueError, match="cannot create an input of 1x3x999999999x999999999"):
        changed(network(), "resolution=999999999")


@pytest.mark.parametrize("change", REFUSED)
def test_refused(change):
    with pytest.raises(ValueError, match=REFUSED[change]):
        changed(network(), change)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (network(padding=0), "1 cannot keep its grid: no padding of a kernel of 3"),
        (network(padding="valid"), "1 cannot keep its grid"),
        (
            nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 3, 5, padding=2))),
            "the weight of 0 is computed and is not a parameter",
        ),
    ],
    ids=["padding 0", "valid", "weight norm"],
)
def test_kernels_that_cannot_be_changed(model, message):
    with pytest.raises(ValueError, match=message):
        changed(model, "kernel=5:3")


def test_a_convolution_that_pads_itself():
    """Padding that follows the kernel keeps the grid; padding that does not is found out."""

    class Same(nn.Conv2d):
        def forward(self, x):
            edge = self.kernel_size[0] // 2
            return super().forward(nn.functional.pad(x, (edge,) * 4))

    class Fixed(nn.Conv2d):
        def forward(self, x):
            return super().forward(nn.functional.pad(x, (2,) * 4))

    found = changed(nn.Sequential(Same(3, 4, 5, bias=False)), "kernel=5:3")
    assert found.macs.head == GRID * 3 * 4 * 9
    with pytest.raises(ValueError, match="the grid of 0 would be 10x10 instead of 8x8"):
        changed(nn.Sequential(Fixed(3, 4, 5)), "kernel=5:3")


def test_twice_and_nothing():
    with pytest.raises(ValueError, match="batch is given twice: batch=2, batch=3"):
        changed(network(), ["batch=2", "batch=3"])
    with pytest.raises(ValueError, match="no change is given; write batch=N"):
        changed(network(), [])


def test_a_saved_trace_is_no_model(tmp_path):
    path = tmp_path / "net.trace"
    costlab.trace(network(), torch.zeros(1, 3, 8, 8)).save(path)
    with pytest.raises(ValueError, match="is a saved trace, and a what-if needs the model itself"):
        costlab.what_if(path, "batch=2")


def test_command(capsys):
    from costlab.cli import main

    assert main(["table", "nin_cifar10", "--what-if", "batch=2", "--what-if", "kernel=5:3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("nin_cifar10 to nin_cifar10 with batch=2, kernel=5:3")
    assert main(["table", "nin_cifar10", "--what-if", "batch=2", "--sort", "macs"]) == 2
    assert (
        "--sort applies to the table of one model; leave out --what-if" in capsys.readouterr().err
    )
