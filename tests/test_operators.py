"""Totals by kind of operation and by type of module."""

import pytest
import torch
from torch import nn

import costlab

SPECS = (
    "googlenet",
    "torchvision:swin_t",
    "transformers:LlamaConfig",
)
MORE_SPECS = (
    "alexnet",
    "inception_v3",
    "cnds8",
    "nin",
    "torchvision:resnet50",
    "torchvision:resnext50_32x4d",
    "torchvision:mobilenet_v3_small",
    "torchvision:efficientnet_b0",
    "torchvision:densenet121",
    "torchvision:shufflenet_v2_x1_0",
    "torchvision:convnext_tiny",
    "torchvision:vit_b_16",
    "torchvision:fcn_resnet50",
    "timm:regnety_002",
    "timm:mixer_s32_224",
    "timm:coatnet_0_rw_224",
    "transformers:BertConfig",
    "transformers:T5Config",
)


@pytest.fixture(
    scope="module", params=(*SPECS, *(pytest.param(s, marks=pytest.mark.slow) for s in MORE_SPECS))
)
def trace(request):
    return costlab.trace(request.param)


@pytest.mark.parametrize("by", ["operator", "module"])
def test_the_rows_are_a_partition(trace, by):
    """Every operation is in one row, so that each column adds up to its total."""
    table = costlab.table(trace, by=by, convention="macs", columns=["activations", "outputs"])
    whole = costlab.total(trace)
    assert sorted(i for row in table.rows for i in row.ops) == [*range(len(trace.forward))]
    assert len({row.name for row in table.rows}) == len(table.rows)
    sums = {
        key: sum(row.cells[key] for row in table.rows)
        for key in ("ops", "FLOPs", "bytes", "activations", "outputs")
    }
    assert sums == {
        "ops": whole.macs,
        "FLOPs": whole.flops,
        "bytes": whole.read + whole.written,
        "activations": whole.activations,
        "outputs": whole.outputs,
    }
    used = {p for op in trace.forward for p in op.params}
    assert table.params == sum(trace.params[p].numel for p in used)
    assert [row.macs for row in table.rows] == sorted((r.macs for r in table.rows), reverse=True)


def conv(c_in, c_out, kernel, **options):
    return nn.Conv2d(c_in, c_out, kernel, padding="same", bias=False, **options)


class Products(nn.Module):
    """A linear layer, a product of two activations, and a lookup."""

    def __init__(self):
        super().__init__()
        self.table, self.linear = nn.Embedding(10, 4), nn.Linear(4, 6, bias=False)

    def forward(self, ids):
        x = self.linear(self.table(ids))
        return torch.softmax(x @ x.T, -1)


IMAGE, IDS = torch.empty(1, 4, 8, 8), torch.zeros(5, dtype=torch.int64)

# model, input -> MACs and params of each row, largest first
ROWS = {
    # an 8x8 grid of 4 x 4 x 3 x 3 = 144 products; of 2 groups half; depthwise 4 x 9 = 36;
    # 4 x 4 for 1x1
    "convolutions": (
        nn.Sequential(
            conv(4, 4, 3),
            conv(4, 4, 3, groups=2),
            conv(4, 4, 3, groups=4),
            conv(4, 4, 3, dilation=2),
            conv(4, 4, (1, 3), dilation=(1, 2)),
            conv(4, 4, 1),
            conv(4, 4, 1),
        ),
        IMAGE,
        [
            ("convolution 3x3", 64 * 144, 144),
            ("convolution 3x3, dilation 2", 64 * 144, 144),
            ("convolution 3x3, 2 groups", 64 * 72, 72),
            ("convolution 1x3, dilation 1x2", 64 * 48, 48),
            ("depthwise convolution 3x3", 64 * 36, 36),
            ("convolution 1x1", 2 * 64 * 16, 2 * 16),
        ],
    ),
    # transposed: 64 inputs of 4 x 3 x 2 x 2 products; depthwise 64 x 4 x 1 x 2 x 2
    "transposed convolutions": (
        nn.Sequential(
            nn.ConvTranspose2d(4, 4, 2, 1, bias=False, groups=4),
            nn.ReLU(),
            nn.MaxPool2d(3, 1),
            nn.BatchNorm2d(4),
            nn.Sigmoid(),
            nn.ConvTranspose2d(4, 3, 2, 2, bias=False),
        ),
        torch.empty(1, 4, 8, 8),
        [
            ("transposed convolution 2x2", 49 * 48, 48),  # a 9x9 grid, pooled to 7x7
            ("transposed depthwise convolution 2x2", 64 * 16, 16),
            ("relu activation", 0, 0),
            ("max pool 3x3", 0, 0),
            ("batch norm", 0, 8),
            ("sigmoid activation", 0, 0),
        ],
    ),
    # 5 tokens of 4 by 4 x 6; 5 x 6 by 6 x 5; the weight's transpose is counted with the product
    "products": (
        Products(),
        IDS,
        [
            ("matrix product", 5 * 6 * 5, 0),
            ("linear", 5 * 4 * 6, 24),
            ("embedding", 0, 40),
            ("data movement", 0, 0),
            ("softmax", 0, 0),
        ],
    ),
    # one dimension: 8 positions of 4 x 4 x 3
    "a 1d convolution": (
        nn.Conv1d(4, 4, 3, padding=1, bias=False),
        torch.empty(1, 4, 8),
        [("1d convolution 3", 8 * 48, 48)],
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_operators(name):
    model, inputs, rows = ROWS[name]
    table = costlab.table(costlab.trace(model.eval(), inputs, device="meta"), by="operator")
    assert [(r.name, r.macs, r.params) for r in table.rows] == rows


def test_calls_are_of_the_products_and_not_of_views():
    """A linear layer is a transposed weight and a product: one call. A module that runs twice is
    one module and two calls."""
    shared = nn.Linear(4, 4)
    trace = costlab.trace(nn.Sequential(shared, nn.ReLU(), shared), torch.empty(2, 4))
    by_operator = costlab.table(trace, by="operator").to_frame().set_index("operator")
    assert by_operator.loc["linear", "calls"] == 2
    by_module = costlab.table(trace, by="module").to_frame().set_index("type")
    assert [*by_module.loc["Linear", ["modules", "calls"]]] == [1, 2]
    assert by_module.loc["Linear", "params (elements)"] == 4 * 4 + 4


def test_somebody_elses_operation_has_its_own_name():
    library = torch.library.Library("quest", "DEF")
    library.define("twice(Tensor x) -> Tensor")
    library.impl("twice", lambda x: 2 * x, "CompositeExplicitAutograd")

    class Twice(nn.Module):
        def forward(self, x):
            return torch.ops.quest.twice(x).relu()

    trace = costlab.trace(Twice(), torch.empty(3), device="cpu")
    assert "quest.twice" in {row.name for row in costlab.table(trace, by="operator").rows}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "kernel"}, "no totals by 'kernel'; choose operator or module"),
        ({"by": "operator", "style": "paper"}, "style and depth apply to rows of layers"),
        ({"by": "module", "depth": 2}, "style and depth apply to rows of layers"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        costlab.table("alexnet", **options)
