"""Every torchvision classifier whose weights publish `_ops` and `num_params`: three decimals of
GMACs, exact params."""

import warnings

import pytest

import costlab
from costlab.trace.build import build_on_meta

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
NAMES = [
    n
    for n in models.list_models(module=models)
    if "_ops" in models.get_model_weights(n).DEFAULT.meta
]
# one of each family that takes a quarter of a second or less; the others are slow
QUICK = set(
    [
        "alexnet",
        "convnext_tiny",
        "densenet121",
        "efficientnet_b0",
        "googlenet",
        "inception_v3",
        "mnasnet0_5",
        "mobilenet_v2",
        "mobilenet_v3_small",
        "regnet_x_400mf",
        "regnet_y_400mf",
        "resnet18",
        "resnet50",
        "resnext50_32x4d",
        "shufflenet_v2_x0_5",
        "squeezenet1_0",
        "swin_t",
        "vgg11",
        "vgg11_bn",
        "vit_b_32",
        "wide_resnet50_2",
    ]
)


def test_all_eighty_are_there():
    assert len(NAMES) == 80 and set(NAMES) >= QUICK


def counts(name, size):
    """MACs and params of a classifier on images of `size` pixels a side."""
    # published GoogLeNet params leave out the auxiliary heads; a ViT is built for one image size
    options = {}
    if name == "googlenet":
        options = {"aux_logits": False}
    elif name.startswith("vit_"):
        options = {"image_size": size}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = build_on_meta(models.get_model, name=name, weights=None, **options).eval()
    x = torch.empty(1, 3, size, size, device="meta")
    total = costlab.total(costlab.trace(model, x, device="meta"), strict=True)
    return f"{total.macs / 1e9:.3f}", total.params


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in NAMES]
)
def test_published_counts(name):
    published = {}
    for weights in models.get_model_weights(name):
        found = (f"{weights.meta['_ops']:.3f}", weights.meta["num_params"])
        published.setdefault(weights.transforms.keywords["crop_size"], set()).add(found)
    assert published
    for size, found in published.items():
        assert found == {counts(name, size)}, size
