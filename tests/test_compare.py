"""Comparisons: the plain words, exact totals, stages that add up."""

import json

import pytest

import costlab
from costlab.cli import main


def compare(capsys, *models):
    assert main(["compare", *models, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "a, b, words",
    [
        (
            "googlenet",
            "alexnet",
            "googlenet has 8.7 times fewer parameters than alexnet and 2.2 times more MACs",
        ),  # 60965224/6998552; 1582671872/724406816
        (
            "alexnet",
            "googlenet",
            "alexnet has 8.7 times more parameters than googlenet and 2.2 times fewer MACs",
        ),
        (
            "vgg16",
            "googlenet",
            "vgg16 has 19.8 times more parameters than googlenet and 9.8 times more MACs",
        ),
        (
            "resnet50",
            "resnet50_stride3x3",
            "resnet50 has as many parameters than resnet50_stride3x3 and 1.1 times fewer MACs",
        ),
    ],
)
def test_plain_words(capsys, a, b, words):
    assert compare(capsys, a, b)["notes"][0] == words.replace(
        "as many parameters than resnet50_stride3x3", "as many parameters as resnet50_stride3x3"
    )


@pytest.mark.parametrize(
    "models", [("googlenet", "inception_v2"), ("alexnet", "googlenet", "vgg16")]
)
def test_stages_add_up_and_align(capsys, models):
    rows = compare(capsys, *models)["rows"]
    for model in models:
        for what in ("MACs", "params"):
            whole = next(r[model] for r in rows if r["what"] == what)
            assert sum(r[model] or 0 for r in rows if r["what"].endswith(f": {what}")) == whole
    strides = [r["what"].split(" (")[0] for r in rows if r["what"].endswith(": MACs")]
    assert strides[-1].startswith("head") and strides[:-1] == [
        f"stride {2**k}" for k in range(0 if "vgg16" in models else 1, 6)
    ]


def test_published_error_is_labelled(capsys):
    doc = compare(capsys, "googlenet", "alexnet")
    row = next(r for r in doc["rows"] if r["what"] == "top-5 error, published")
    assert (row["googlenet"], row["alexnet"]) == (10.07, 19.8)  # one crop each
    assert any("(arXiv:1409.4842), Table 3" in n for n in doc["notes"])


@pytest.mark.parametrize("other, comparable", [("alexnet", True), ("vgg19", False)])
def test_errors_of_different_protocols_are_not_to_be_compared(capsys, other, comparable):
    """VGG-19's error is of dense evaluation, the others are of one crop."""
    notes = compare(capsys, "googlenet", other)["notes"]
    assert any("do not compare" in n for n in notes) != comparable


def test_one_model_is_refused(capsys):
    assert main(["compare", "googlenet"]) == 2 and "two models or more" in capsys.readouterr().err


def heads():
    """A base of one 3x3 convolution on an 8x8 grid with three heads: none, a linear layer on the
    pooled grid, and one on the whole grid."""
    import torch
    from torch import nn

    def conv():
        return nn.Conv2d(3, 4, 3, padding=1, bias=False)

    pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5, bias=False))
    whole = (nn.Flatten(), nn.Linear(4 * 64, 5, bias=False))
    return [
        costlab.trace(nn.Sequential(conv(), *more), torch.zeros(1, 3, 8, 8), device="meta")
        for more in ((), pooled, whole)
    ]


def test_variants_against_a_base():
    """The base has 108 params and 64 x 108 MACs; the heads add 4 x 5 and 256 x 5 of each."""
    rows = costlab.variants(*heads()).sheet.rows
    assert [row["params"] for row in rows] == [108, 108 + 20, 108 + 1280]
    assert [row["MACs"] for row in rows] == [64 * 108, 64 * 108 + 20, 64 * 108 + 1280]
    assert [row["activations"] for row in rows] == [256, 256 + 5, 256 + 5]
    assert [row["params change"] for row in rows] == ["", 20 / 108, 1280 / 108]
    assert [row["MACs change"] for row in rows] == ["", 20 / 6912, 1280 / 6912]
    # the head on the pooled grid: 4 elements beside the 256 that are pooled
    assert rows[1]["peak"] - rows[0]["peak"] == 4 * 4


def test_against(capsys):
    assert (
        main(["compare", "nin_cifar10", "cnds8", "--against", "alexnet", "--format", "json"]) == 0
    )
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["version"] for row in rows] == ["alexnet", "nin_cifar10", "cnds8"]
    assert main(["compare", "cnds8", "--against", "alexnet", "--diagram", "x.svg"]) == 2
    assert "leave out --against" in capsys.readouterr().err
    with pytest.raises(ValueError, match="variants takes a base and a variant or more"):
        costlab.variants("alexnet")
