"""Captions of a report's charts say what the charts show: predicted times too, by the names that
stand in them."""

import pytest
import torch
from test_predicted import Calibrated

import costlab
from costlab.render.document import Picture

PROFILES = {"none": None, "calibrated": Calibrated(), "datasheet": "h100"}


def captions(*models, sections, **given):
    report = costlab.report(*models, sections=sections, **given)
    return [p.caption for s in report.document.sections for p in s.parts if isinstance(p, Picture)]


@pytest.mark.parametrize(
    ("profile", "what"),
    [
        ("none", "MACs"),
        ("calibrated", "MACs and predicted time"),
        ("datasheet", "MACs"),  # bounds say nothing of a difference
    ],
)
def test_a_waterfall(profile, what):
    given = {"profile": PROFILES[profile]}
    found = captions(base="nin_cifar10", head="cnds8", sections=["change"], **given)
    assert found[0] == f"{what} from nin_cifar10 to cnds8, block by block"
    found = captions("nin_cifar10", "cnds8", sections=["variant-changes"], **given)
    assert found[0] == f"{what} from nin_cifar10 to cnds8, block by block"


@pytest.mark.parametrize(
    ("profile", "stages", "summed"),
    [
        ("none", "params, MACs and activations", "params and MACs"),
        (
            "calibrated",
            "params, MACs, activations and predicted time",
            "params, MACs and predicted time",
        ),
        ("datasheet", "params, MACs, activations and least time", "params, MACs and least time"),
    ],
)
def test_the_stages(profile, stages, summed):
    found = captions("resnet18", sections=["cost"], profile=PROFILES[profile])
    assert found == [
        f"resnet18: {stages} by stage, from input to output",
        f"resnet18: share of all {summed} up to each stage",
    ]


def traced(*layers):
    return costlab.trace(torch.nn.Sequential(*layers), torch.zeros(1, 8), spec=f"{len(layers)}.py")


def test_a_review_draws_what_changes_the_time_alone():
    """Without the ReLU the MACs are the same, and there is an operation less."""
    base = traced(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8))
    head = traced(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
    for sections in (["change"], ["variant-changes"]):
        pair = {"base": base, "head": head} if sections == ["change"] else {}
        models = () if pair else (base, head)
        first = captions(*models, sections=sections, **pair)[0]
        assert "block by block" not in first  # nothing to draw
        first = captions(*models, sections=sections, profile=Calibrated(), **pair)[0]
        assert first == "MACs and predicted time from 3.py to 2.py, block by block"


def test_names_are_without_the_folders_that_they_share(tmp_path):
    """As the chart has them."""
    base, head = (
        costlab.trace(torch.nn.Linear(8, n), torch.zeros(1, 8), spec=f"/home/me/{n}.py:build")
        for n in (8, 9)
    )
    found = captions(base=base, head=head, sections=["change"])
    assert found == [
        "MACs from 8.py:build to 9.py:build, block by block",
        "8.py:build and 9.py:build as blocks on one scale; what is not the same in both is marked",
    ]
