"""Comparisons: the plain words, exact totals, stages that add up."""

import json

import pytest

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
