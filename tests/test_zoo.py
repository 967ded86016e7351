"""Every architecture against its layer table, row by row in exact integers; every building block
against its closed form."""

from functools import cache

import pytest
import torch
from selection import slow_but

import costlab
from costlab import reference, zoo
from costlab.graph import layer_graph
from costlab.graph import longest
from costlab.trace.build import build_on_meta
from costlab.zoo import modules as m

# layer table -> zoo name, arguments
TABLES = {
    "alexnet_caffe_groups": ("alexnet", {}),
    "alexnet_ungrouped": ("alexnet_single", {}),
    "alexnet_torchvision": (
        "alexnet_single",
        {"widths": (64, 192, 384, 256, 256), "padding": 2, "lrn": False},
    ),
    "zfnet": ("zfnet", {}),
    "zfnet_wide_512_1024_512": ("zfnet", {"widths": (512, 1024, 512)}),
    "vgg_A_11": ("vgg11", {}),
    "vgg_B_13": ("vgg13", {}),
    "vgg_D_16": ("vgg16", {}),
    "vgg_E_19": ("vgg19", {}),
    "nin_imagenet_224": ("nin", {}),
    "nin_cifar10": ("nin_cifar10", {}),
    "resnet18": ("resnet18", {}),
    "resnet34": ("resnet34", {}),
    "resnet50_stride_on_1x1": ("resnet50", {}),
    "resnet50_stride_on_3x3": ("resnet50_stride3x3", {}),
    "resnet152_stride_on_1x1": ("resnet152", {}),
    "cnds8_1000": ("cnds8", {"aux": True}),
    "cnds8_205": ("cnds8", {"aux": True, "classes": 205}),
    "googlenet_caffe": ("googlenet", {"aux": True}),
    "googlenet_torchvision": ("googlenet", {"aux": True, "norm": True, "k5": 3}),
    "bn_inception_paper_separable": ("bn_inception", {}),
    "bn_inception_slim_separable": ("bn_inception", {"slim": True}),
    "inception_v3_slim": ("inception_v3", {"aux": True}),
    "inception_v2_paper": ("inception_v2", {}),
}
KINDS = {
    "conv": "conv",
    "fc": "linear",
    "maxpool": "max pool",
    "avgpool": "avg pool",
    "gap": "avg pool",
}


@cache
def traced(name, train=False, **arguments):
    shape = zoo.input_shape(name)
    if arguments.get("widths") and name == "alexnet_single":
        shape = (1, 3, 224, 224)
    if train:
        shape = (2, *shape[1:])  # batch norm's training form takes no single value a channel
    return costlab.trace(
        build_on_meta(lambda: zoo.build(name, **arguments)),
        torch.empty(shape, device="meta"),
        device="meta",
        train=train,
    )


def layers(trace):
    """(kind, kernel, stride, groups, in elements, out shape, weights, biases, norm params, MACs) a
    layer, for one image."""
    batch = trace.tensors[trace.inputs[0]].shape[0]
    for n in layer_graph(trace):
        if n.kind not in KINDS.values():
            continue
        params = [(trace.params[p], op) for op in n.ops for p in op.params]
        own = [p for p, op in params if op is n.op or op.name == "aten.t"]
        norm = sum(p.numel for p, op in params if "norm" in op.name)
        weights = sum(p.numel for p in own if len(p.shape) > 1)
        size = 1
        for d in n.in_shape[1:]:
            size *= d
        yield (
            n.kind,
            n.kernel,
            n.stride[:1],
            n.groups,
            size,
            (*n.out_shape[1:], 1, 1)[:3],
            weights,
            sum(p.numel for p in own) - weights,
            norm,
            costlab.total(trace, n.ops).macs // batch,
        )


def printed(row):
    kernel = tuple(map(int, row["kernel"].split("x"))) if row["kernel"] else ()
    i = {
        k: int(row[k])
        for k in (
            "groups",
            "in_c",
            "in_h",
            "in_w",
            "out_c",
            "out_h",
            "out_w",
            "weights",
            "biases",
            "bn",
            "macs",
        )
    }
    return (
        KINDS[row["type"]],
        kernel,
        (int(row["stride"]),) if row["stride"] else (),
        i["groups"],
        i["in_c"] * i["in_h"] * i["in_w"],
        (i["out_c"], i["out_h"], i["out_w"]),
        i["weights"],
        i["biases"],
        i["bn"],
        i["macs"],
    )


def test_every_layer_table_is_covered():
    assert {f"architectures/{t}" for t in TABLES} == {
        n for n in reference.names() if n.startswith("architectures/")
    }


# each is another form of a network that is quick
SLOW = {"resnet152_stride_on_1x1", "googlenet_torchvision", "bn_inception_slim_separable"}


@pytest.mark.parametrize("name", slow_but({*TABLES} - SLOW, TABLES))
def test_row_by_row(name):
    model, arguments = TABLES[name]
    got = list(layers(traced(model, train=arguments.get("aux", False), **arguments)))
    want = [
        printed(r) for r in reference.load(f"architectures/{name}") if "softmax" not in r["type"]
    ]
    assert got == want


def table_of(row):
    return row["layer_table"].split("/")[1].removesuffix(".csv")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row["net"], marks=[pytest.mark.slow] * (table_of(row) in SLOW))
        for row in reference.load("architecture_totals")
    ],
)
def test_totals(row):
    table = table_of(row)
    model, arguments = TABLES[table]
    total = costlab.total(traced(model, **{k: v for k, v in arguments.items() if k != "aux"}))
    assert (total.weights, total.params, total.macs) == tuple(
        int(row[k]) for k in ("weights", "params", "macs")
    )
    if arguments.get("aux"):
        whole = costlab.total(traced(model, train=True, **arguments))
        assert (whole.params, whole.macs) == (
            int(row["params_with_aux"]),
            2 * int(row["macs_with_aux"]),
        )


def test_the_head_does_not_run_in_evaluation():
    assert costlab.total(traced("googlenet", aux=True)).macs == 1582671872


BLOCKS = {  # (block, input, MACs by hand, weights by hand, output channels)
    "mlpconv 3->8 k5, 8->4, 4->2 on 8x8": (
        lambda: m.MlpConv(3, (8, 4, 2), 5),
        (1, 3, 8, 8),
        64 * (600 + 32 + 8),
        640,
        2,
    ),
    "separable 3->4 k7/2 x8 on 8x8": (
        lambda: m.SeparableConv(3, 4, 7, 2),
        (1, 3, 8, 8),
        16 * (24 * 49 + 96),
        24 * 49 + 96,
        4,
    ),
    "naive 3a: 784*(192*64 + 9*192*128 + 25*192*32)": (
        lambda: m.NaiveInception(192, 64, 128, 32),
        (1, 192, 28, 28),
        303464448,
        387072,
        416,
    ),
    "reduced 3a": (
        lambda: m.Inception(192, 64, 96, 128, 16, 32, 32),
        (1, 192, 28, 28),
        128049152,
        163328,
        256,
    ),
    "BN 3c, stride 2": (
        lambda: m.DoubleInception(320, 0, 128, 160, (64, 96, 96), 0, pool="max", stride=2),
        (1, 320, 28, 28),
        784 * (320 * 192 + 9 * 64 * 96) + 196 * 9 * (128 * 160 + 96 * 96),
        320 * 192 + 9 * (64 * 96 + 128 * 160 + 96 * 96),
        576,
    ),
    "figure 6, n=7, 128": (
        lambda: m.FactorizedInception(768, 128),
        (1, 768, 17, 17),
        374063104,
        1294336,
        768,
    ),
    "figure 6, n=3, 128": (
        lambda: m.FactorizedInception(768, 128, n=3),
        (1, 768, 17, 17),
        241483776,
        835584,
        768,
    ),
    "figure 7": (lambda: m.ExpandedInception(1280), (1, 1280, 8, 8), 64 * 5038080, 5038080, 2048),
    "figure 10, 35 -> 17": (
        lambda: m.ReductionA(288),
        (1, 288, 35, 35),
        1225 * (288 * 64 + 9 * 64 * 96) + 289 * 9 * (288 * 384 + 96 * 96),
        288 * 64 + 9 * (64 * 96 + 288 * 384 + 96 * 96),
        768,
    ),
    "17 -> 8": (
        lambda: m.ReductionB(768),
        (1, 768, 17, 17),
        289 * (2 * 768 * 192 + 14 * 192 * 192) + 64 * 9 * 192 * 512,
        2 * 768 * 192 + 14 * 192 * 192 + 9 * 192 * 512,
        1280,
    ),
    "pool then conv 3x3: 289*9*320*640": (
        lambda: m.PoolThenConv(320, 640),
        (1, 320, 35, 35),
        532684800,
        1843200,
        640,
    ),
    "conv 3x3 then pool: 1225*9*320*640": (
        lambda: m.ConvThenPool(320, 640),
        (1, 320, 35, 35),
        2257920000,
        1843200,
        640,
    ),
    "parallel: 289*9*320*320": (
        lambda: m.ParallelReduction(320, 640),
        (1, 320, 35, 35),
        266342400,
        921600,
        640,
    ),
    "head on 4a: 16*512*128 + 2048*1024 + 1024*1000": (
        lambda: m.AuxiliaryHead(512),
        (1, 512, 14, 14),
        4169728,
        3186688,
        1000,
    ),
    "fc head 256x6x6": (
        lambda: m.FullyConnectedHead(256, 6),
        (1, 256, 6, 6),
        58621952,
        58621952,
        1000,
    ),
}


@pytest.mark.parametrize("block, shape, macs, weights, width", BLOCKS.values(), ids=BLOCKS)
def test_a_block_alone(block, shape, macs, weights, width):
    trace = costlab.trace(
        build_on_meta(block).eval(), torch.empty(shape, device="meta"), device="meta"
    )
    total = costlab.total(trace)
    assert (total.macs, total.weights, trace.tensors[trace.outputs[0]].shape[1]) == (
        macs,
        weights,
        width,
    )


def test_models_run_on_real_tensors():
    model = zoo.build("nin_cifar10")
    with torch.no_grad():
        out = model(torch.rand(2, 3, 32, 32))
    assert out.shape == (2, 10) and torch.allclose(out.sum(1), torch.ones(2))


def test_an_unknown_reference_lists_what_there_is():
    with pytest.raises(ValueError, match="googlenet_table1"):
        reference.load("googlenet_table2")


def test_what_inception_v2_deviates_by_is_what_the_drawn_network_differs_by():
    """Figure 10 with slim's widths. 35 -> 17: 288*64*35^2 + 9*64*384*17^2 MACs for 9*288*384*17^2,
    -201,148,416; 17 -> 8: 9*192*192*17^2 for 2*7*192*192*17^2, -53,268,480. Params, with two of
    batch norm a filter: 288*64 + 9*64*384 + 2*64 - 9*288*384 and (9 - 14)*192*192 - 2*192."""
    built, drawn = (
        costlab.total(traced(name)) for name in ("inception_v2", "inception_v2_as_drawn")
    )
    assert drawn.macs - built.macs == -201148416 - 53268480
    assert drawn.params - built.params == -755584 - 184704
    notes = costlab.load("inception_v2").notes
    changes = [
        "-755,584 params and -201,148,416 MACs as drawn",
        "-184,704 params and -53,268,480 MACs as drawn",
        "the same params and MACs",
    ]
    assert [note.rpartition(": ")[2] for note in notes] == changes
    assert costlab.load("inception_v2_as_drawn").notes == ()


def test_the_drawn_inception_v2_is_53_layers_deep():
    """stem 6, three Figure 5 modules of 3, a reduction of 3, five Figure 6 modules of 5, a
    reduction of 3, two Figure 7 modules of 3, the classifier; slim's second reduction has 4."""
    assert [
        longest(layer_graph(traced(name))) for name in ("inception_v2", "inception_v2_as_drawn")
    ] == [54, 53]
