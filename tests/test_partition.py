"""Over real models: the blocks of the partition are the network, and rankings compare blocks of one
depth."""

import pytest
from selection import slow_but

from costlab.analysis.profile import profile
from costlab.analysis.ranking import in_order, most_expensive, ranked
from costlab.api._models import as_trace
from costlab.cost import total
from costlab.graph import partition
from costlab.tables import table

MODELS = [
    "googlenet",
    "inception_v3",
    "inception_v2",
    "alexnet",
    "vgg16",
    "nin_cifar10",
    "cnds8",
    "torchvision:resnet50",
    "torchvision:densenet201",
    "torchvision:swin_t",
    "torchvision:vit_b_16",
    "torchvision:convnext_tiny",
    "torchvision:mobilenet_v3_large",
    "torchvision:squeezenet1_1",
    "torchvision:fcn_resnet50",
    "torchvision:regnet_y_400mf",
    "timm:swin_tiny_patch4_window7_224",
    "timm:efficientnet_b0",
    "timm:mixer_b16_224",
    "timm:vit_tiny_patch16_224",
    "timm:poolformer_s12",
    "timm:coatnet_0_rw_224",
]


# branches, dense connections, windows, squeezed and gated
QUICK = {
    *("googlenet", "nin_cifar10", "cnds8", "torchvision:resnet50", "torchvision:squeezenet1_1"),
    *("torchvision:mobilenet_v3_large", "timm:vit_tiny_patch16_224"),
}


@pytest.fixture(scope="module", params=slow_but(QUICK, MODELS))
def trace(request):
    pytest.importorskip(request.param.partition(":")[0] if ":" in request.param else "torch")
    return as_trace(request.param, "table")


def test_the_blocks_of_each_level_are_all_of_the_one_above(trace):
    whole = total(trace)
    root = partition(trace)
    assert sorted(i for b in root.children for i in b.ops) == list(range(len(trace.forward)))
    assert (
        sum(total(trace, [trace.ops[i] for i in b.ops]).macs for b in root.children) == whole.macs
    )
    for block in root.walk():
        if block.children:
            assert sorted(i for b in block.children for i in b.ops) == list(block.ops)


def test_tables_rankings_and_sums_are_of_the_same_operations(trace):
    whole, shown = total(trace), table(trace)
    for rows in (shown.rows, ranked(trace), in_order(shown, trace)):
        assert sum(r.macs for r in rows) == whole.macs == shown.macs
        assert sum(r.params for r in rows) == shown.params
        ops = [i for r in rows for i in r.ops]
        assert len(ops) == len(set(ops))


@pytest.mark.parametrize(
    "spec, names, macs",
    [
        # table 1 of Huang et al.: 48 dense layers, of 1x1 to 128 and 3x3 to 32, on 14x14
        pytest.param(
            "torchvision:densenet201",
            ["features.denseblock3", "features.denseblock1", "features.denseblock2"],
            # 14^2 * sum over i < 48 of ((256 + 32 i) * 128 + 9 * 128 * 32)
            196 * sum((256 + 32 * i) * 128 + 9 * 128 * 32 for i in range(48)),
            marks=pytest.mark.slow,
        ),
        # timm keeps the merging of patches in the stage that it opens; 49% of 4.46G
        (
            "timm:swin_tiny_patch4_window7_224",
            ["layers.2", "layers.1", "layers.3"],
            # the merge 768 -> 384 on 14^2; six blocks of qkv, two products of 4 windows of 49
            # tokens, projection and two layers of the perceptron
            196 * 768 * 384 + 6 * (196 * 384**2 * (3 + 1 + 8) + 2 * 4 * 49**2 * 384),
        ),
        ("torchvision:resnet50", ["layer3", "layer2", "layer4"], None),
    ],
)
def test_the_most_expensive_blocks_are_compared_at_one_depth(spec, names, macs):
    pytest.importorskip(spec.partition(":")[0])
    found = most_expensive(ranked(as_trace(spec, "table")), "macs")
    assert [r.name for r in found] == names
    assert macs is None or found[0].macs == macs


def test_one_block_that_is_nearly_everything_is_opened():
    """The encoder of ViT-B/16 is 99% of it: its layers' parts are compared, twelve alike as one."""
    pytest.importorskip("torchvision")
    found = most_expensive(ranked(as_trace("torchvision:vit_b_16", "table")), "macs")
    path = "encoder.layers.encoder_layer_0-11"
    assert [r.name for r in found] == [
        f"{path}.self_attention x 12",
        f"{path}.mlp.0 x 12",
        f"{path}.mlp.3 x 12",
    ]
    assert found[1].macs == 12 * 197 * 768 * 3072


def test_sums_up_to_a_block_are_of_blocks_in_their_order():
    """Rows of alike modules that take turns, twelve times attention and perceptron, have no order:
    the encoder's layers have."""
    pytest.importorskip("torchvision")
    course = profile(as_trace("torchvision:vit_b_16", "table")).course
    layers = [s for s in course if s.name.startswith("encoder.layers.")]
    assert [s.name for s in layers] == [f"encoder.layers.encoder_layer_{i}" for i in range(12)]
    assert {s.macs for s in layers} == {layers[0].macs}
    assert course[-1].macs_so_far == sum(s.macs for s in course) == 17_563_828_224
