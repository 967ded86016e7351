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


def test_all_eighty_are_there():
    assert len(NAMES) == 80


@pytest.mark.parametrize("name", NAMES)
def test_published_counts(name):
    for weights in models.get_model_weights(name):
        size = weights.transforms.keywords["crop_size"]
        # published GoogLeNet params leave out the auxiliary heads; a ViT is built for one image
        # size
        kwargs = (
            {"aux_logits": False}
            if name == "googlenet"
            else {"image_size": size}
            if name.startswith("vit_")
            else {}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = build_on_meta(lambda: models.get_model(name, weights=None, **kwargs)).eval()  # noqa: B023
        total = costlab.total(
            costlab.trace(model, torch.empty(1, 3, size, size, device="meta"), device="meta"),
            strict=True,
        )
        assert (f"{total.macs / 1e9:.3f}", total.params) == (
            f"{weights.meta['_ops']:.3f}",
            weights.meta["num_params"],
        )
