"""The second counts agree on the zoo, attention and recurrence; a wrong formula shows."""

from dataclasses import replace

import pytest
import torch
from selection import slow_but
from torch import nn

from costlab import zoo
from costlab.analysis.verify import Cause, Difference, verify
from costlab.cli import main
from costlab.cost.registry import REGISTRY, Work
from costlab.trace.build import build_on_meta

pytest.importorskip("fvcore")


@pytest.mark.parametrize(
    "name",
    slow_but(("googlenet", "nin", "alexnet"), zoo.names()),
)
def test_every_zoo_model_is_counted_alike(name):
    result = verify(
        build_on_meta(lambda: zoo.build(name)), torch.empty(zoo.input_shape(name), device="meta")
    )
    assert result.agrees and all(c.agrees for c in result.counts), result.sheet.records()
    assert all(c.total is not None for c in result.counts)
    torch_count = result.counts[1]
    assert torch_count.total == result.total and not torch_count.differences


class Cross(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x, *, memory):
        return self.a(x, memory, memory)[0]


class Products(nn.Module):
    """addmm 2 x 4 x 4, then baddbmm of as much, then a matrix by a vector of 8."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(4, 4))

    def forward(self, x):
        y = torch.baddbmm(
            torch.zeros(1, 2, 4), torch.addmm(self.w[0], x, self.w)[None], self.w[None]
        )
        return y + torch.mv(x, self.w[0])[None, :, None]


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        return x @ w @ w


class Own(Products):
    def forward(self, x):
        return Twice.apply(x, self.w)


class Einsum(nn.Module):
    def forward(self, x):
        return torch.einsum("bi,bij,bj->b", x, x[:, :, None] * x[:, None], x)


MODELS = {  # name: (model, inputs, kwargs, MACs by hand)
    # 2 layers x (7 tokens x (4*256 + 2*16*32) + 2*49*16)
    "encoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2),
        (torch.rand(1, 7, 16),),
        {},
        2 * (7 * (4 * 256 + 2 * 512) + 2 * 49 * 16),
    ),
    "cross attention by keyword": (
        Cross(),
        (torch.rand(1, 5, 16),),
        {"memory": torch.rand(1, 9, 16)},
        256 * (5 + 9 + 9 + 5) + 2 * 5 * 9 * 16,
    ),
    "lstm": (nn.LSTM(3, 4, 2), (torch.rand(5, 2, 3),), {}, 5 * 2 * 16 * (3 + 4 + 4 + 4)),
    "gru": (nn.GRU(3, 4), (torch.rand(5, 2, 3),), {}, 5 * 2 * 12 * (3 + 4)),
    "norms and transposed": (
        nn.Sequential(
            nn.ConvTranspose2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.GroupNorm(2, 4),
            nn.AdaptiveAvgPool2d(2),
        ),
        (torch.rand(1, 3, 6, 6),),
        {},
        36 * 3 * 4 * 9,
    ),
    "bilinear": (
        nn.Bilinear(4, 4, 5),
        (torch.rand(2, 4), torch.rand(2, 4)),
        {},
        2 * 5 * 4 * 4 + 2 * 5 * 4,
    ),
    "products": (Products(), (torch.rand(2, 4),), {}, 32 + 32 + 8),
    "custom function": (Own(), (torch.rand(2, 4),), {}, 64),
    "einsum of three": (Einsum(), (torch.rand(2, 4),), {}, 2 * 4 * 4 + 2 * 4),
}


@pytest.mark.parametrize("model, inputs, kwargs, macs", MODELS.values(), ids=MODELS)
def test_what_peers_miss_is_explained_and_adds_up(model, inputs, kwargs, macs):
    result = verify(model.eval(), inputs, kwargs)
    assert result.total == macs
    for c in result.counts:
        assert c.agrees, result.sheet.records()
        assert c.total is not None and c.total + sum(d.macs for d in c.differences) == macs


@pytest.mark.parametrize(
    "model, inputs, reason",
    [
        (
            nn.Sequential(nn.Conv1d(3, 4, 3), nn.Conv1d(4, 4, 3, groups=2)),
            (torch.rand(1, 3, 8),),
            "as if it had no groups",
        ),
        (
            nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, 0.0, batch_first=True), 2),
            (torch.rand(1, 7, 16),),
            "no formula for aten._scaled_dot_product",
        ),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2)),
            (torch.rand(2, 3, 8, 8),),
            "",
        ),
    ],
    ids=["grouped", "attention", "plain"],
)
def test_a_training_steps_differences_are_named(model, inputs, reason):
    (count,) = verify(model, inputs, train=True).counts
    assert count.agrees and (
        reason in count.differences[0].reason if reason else not count.differences
    )


def test_a_wrong_formula_is_not_explained_away(monkeypatch, capsys):
    right = REGISTRY.formulas["aten.addmm"]

    def one_more(trace, op):
        work = right(trace, op)
        assert isinstance(work, Work)
        return replace(work, macs=work.macs + 1)

    monkeypatch.setitem(REGISTRY.formulas, "aten.addmm", one_more)
    assert main(["verify", "nin_cifar10"]) == 0  # it has no linear layer
    assert main(["verify", "googlenet"]) == 1
    assert "NOT EXPLAINED" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, model, inputs",
    [
        ("aten._trilinear", nn.Bilinear(3, 5, 7, bias=False), (torch.ones(2, 3), torch.ones(2, 5))),
        ("aten.mv", Products(), (torch.rand(2, 4),)),
        ("aten.mm", Own(), (torch.rand(2, 4),)),
    ],
)
def test_a_wrong_formula_does_not_explain_itself(name, model, inputs, monkeypatch):
    assert verify(model, inputs).agrees
    monkeypatch.setitem(REGISTRY.formulas, name, lambda t, op: (7_000_000, 1))
    assert not verify(model, inputs).agrees


def test_complex_products_are_explained():
    assert verify(
        nn.Linear(4, 4, bias=False, dtype=torch.cfloat), (torch.zeros(2, 4, dtype=torch.cfloat),)
    ).agrees


def test_a_saved_trace_is_counted_by_its_model(tmp_path, capsys):
    file = tmp_path / "g.trace"
    main(["trace", "nin_cifar10", "-o", str(file)])
    assert main(["verify", str(file)]) == 0 and "222,486,528" in capsys.readouterr().out
    assert (
        main(["verify", "nin_cifar10", "--mode", "train", "--input", "2x3x32x32"]) == 0
        and "equal" in capsys.readouterr().out
    )


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_worded_and_a_doubted_one_gives_no_reason(cause):
    found = Difference(cause, 7, "block.0", 3)
    assert found.what and bool(found.reason) == (cause is not Cause.UNKNOWN) == found.explained
    assert replace(found, doubted=True).reason == ""
