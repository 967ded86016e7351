"""Auxiliary classifiers: what they cost, and the gradient-flow probe that places them."""

import json
from functools import partial

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab import zoo
from costlab.analysis import aux
from costlab.analysis.aux import Gradients, Layer, Probe, Protocol
from costlab.analysis.aux.settings import SETTINGS, gaussian
from costlab.cli import main
from costlab.graph import layer_graph
from costlab.trace.build import build_on_meta

# (params, forward MACs of one image) that the heads add: reference claim C28
HEADS = {
    "googlenet": (6379728, 8372224),
    "inception_v3": (3326696, 5683200),
    "cnds8": (13167656, 15917056),
}


@pytest.fixture(scope="module")
def costs():
    return lambda name: aux.aux_costs([name]).costs[0]


@pytest.mark.parametrize("name", slow_but({"cnds8"}, HEADS))
def test_what_heads_cost(name, costs):
    cost = costs(name)
    assert (cost.heads.params, cost.heads.forward) == HEADS[name]
    assert cost.inference == cost.without.forward


@pytest.mark.parametrize("name", slow_but({"cnds8"}, HEADS))
def test_the_drawn_network_runs_its_heads_on_one_image(name, costs):
    """Its MACs are those of a training step's forward pass for one image."""
    drawn = costs(name).drawn
    assert costlab.total(drawn).macs == costs(name).with_heads.forward
    assert {node.out_shape[0] for node in layer_graph(drawn)} == {1}


class Small(nn.Module):
    """Two convolutions on (N, 1, 16, 16), dropout, a classifier of 10; with `heads`, one on the
    first convolution, with dropout of its own."""

    def __init__(self, heads=False):
        super().__init__()
        self.side = nn.Sequential(nn.Dropout(), nn.Linear(4 * 196, 10)) if heads else None
        self.first, self.relu1 = nn.Conv2d(1, 4, 3), nn.ReLU()
        self.second, self.relu2 = nn.Conv2d(4, 4, 3), nn.ReLU()
        self.drop, self.hidden = nn.Dropout(), nn.Linear(4 * 144, 12)
        self.out = nn.Linear(12, 10)

    def forward(self, x):
        a = self.relu1(self.first(x))
        hidden = torch.relu(self.hidden(self.drop(self.relu2(self.second(a)).flatten(1))))
        out = self.out(hidden)
        return out if self.side is None else (out, self.side(a.flatten(1)))


@pytest.fixture
def run():
    pytest.importorskip("sklearn")
    images = aux.digits((1, 16, 16), 10, 4)
    return partial(
        aux.probe,
        Small,
        lambda seed: images.batches(4, seed),
        with_heads=lambda: Small(True),
        iterations=3,
        seeds=(0, 1),
    )


@pytest.mark.parametrize("setting", slow_but(("he", "own"), ("released", "he", "own")))
def test_heads_of_weight_0_change_nothing(run, setting):
    """Both networks start from the same weights, see the same images and drop the same units,
    although the head is built first and draws dropout of its own."""
    chosen = {} if setting == "own" else {"setting": SETTINGS[setting]}
    state = torch.get_rng_state()
    result = run(weight=0.0, **chosen)
    assert result.with_heads == result.without
    assert torch.equal(state, torch.get_rng_state())


def test_a_head_reaches_the_layers_before_it_and_no_others(run):
    """In the first iteration, before a step has been taken."""
    result = run(setting=SETTINGS["released"])
    first, second = [layer.curves[0][0] for layer in result.without.layers]
    helped_first, helped_second = [layer.curves[0][0] for layer in result.with_heads.layers]
    assert helped_first > first and helped_second == second
    assert result == run(setting=SETTINGS["released"])  # repeatable


LAYERS = ("first", "second", "hidden", "out")


def test_the_released_initialization():
    """The prototxt: std 0.01 everywhere; biases 0.5, 0.1, 1 and 0. 4 x 144 x 12 = 6,912 weights
    give the deviation to 1.7% at two sigma."""
    model = Small()
    gaussian(model, 0)
    assert float(model.hidden.weight.detach().std()) == pytest.approx(0.01, rel=0.03)
    values = dict(model.named_parameters())
    biases = [values[f"{name}.bias"].unique().tolist() for name in LAYERS]
    assert biases == [[0.5], [pytest.approx(0.1)], [1.0], [0.0]]


@pytest.mark.parametrize(
    "setting, kinds",
    [  # 8 convolutions with a ReLU each, and two more ReLUs between the linear layers
        ("released", {nn.Conv2d: 8, nn.ReLU: 10, nn.Sigmoid: 0, nn.BatchNorm2d: 0}),
        ("sigmoid", {nn.Conv2d: 8, nn.ReLU: 0, nn.Sigmoid: 10, nn.BatchNorm2d: 0}),
        ("batch-norm", {nn.Conv2d: 8, nn.ReLU: 10, nn.Sigmoid: 0, nn.BatchNorm2d: 8}),
        ("deeper", {nn.Conv2d: 16, nn.ReLU: 18, nn.Sigmoid: 0, nn.BatchNorm2d: 0}),
    ],
)
def test_settings_change_the_layers_that_they_say(setting, kinds):
    model = build_on_meta(lambda: zoo.build("cnds8"))
    SETTINGS[setting].change(model)
    modules = list(model.modules())
    assert {kind: sum(isinstance(m, kind) for m in modules) for kind in kinds} == kinds


def test_images_are_pixels_less_their_mean():
    """0 to 16 becomes 0 to 255; each pixel's mean over all images is 0."""
    pytest.importorskip("sklearn")
    images = aux.digits((3, 32, 24), 10, 5)
    assert images.pixels.shape == (1797, 1, 8, 8)
    assert float(images.pixels.mean(0).abs().max()) < 1e-3
    assert 100 < float(images.pixels.max()) <= 255
    x, y = next(images.batches(5, 0))
    assert x.shape == (5, 3, 32, 24) and y.shape == (5,) and torch.equal(x[:, 0], x[:, 2])


def made(*means, seeds=2):
    """A probe of layers a, b, c, ... whose gradients are constant over two iterations."""
    layers = [
        Layer(name, tuple((mean, mean) for _ in range(seeds)))
        for name, mean in zip("abcdef", means, strict=False)
    ]
    protocol = Protocol(2, 64, tuple(range(seeds)), "cpu", "nothing")
    return Probe("m", "by hand", Gradients(tuple(layers)), None, protocol, 1e-7)


@pytest.mark.parametrize(
    "means, place, lowest, fall",
    [
        ((1e-9, 1e-8, 1e-3), "b", "a", 1e6),  # from the loss back, b is the first under 1e-7
        ((1e-2, 1e-5, 1e-4), None, "b", 10),
        ((1e-8, 1e-3, 1e-4), "a", "a", 1e4),
        ((0.0, 1.0), "a", "a", float("inf")),
    ],
)
def test_the_rule_scans_from_the_loss(means, place, lowest, fall):
    result = made(*means)
    assert (result.place.name if result.place else None) == place
    assert result.without.lowest.name == lowest
    assert result.without.fall == pytest.approx(fall)


def test_seeds_are_averaged_and_their_spread_is_kept():
    a = Layer("a", ((1.0, 3.0), (5.0, 7.0)))
    b = Layer("b", ((3.0, 3.0), (4.0, 4.0)))
    assert (a.means, a.mean, a.course) == ((2.0, 6.0), 4.0, (3.0, 5.0))
    result = Probe("m", "s", Gradients((a, b)), None, Protocol(2, 1, (0, 1), "cpu", ""), 1e-7)
    assert result.without.lowest is b and result.agreeing == 1  # of seed 0, a is lower
    row = result.sheet.rows[0]
    assert (row["mean |gradient|"], row["lowest of the seeds"], row["highest of the seeds"]) == (
        4.0,
        2.0,
        6.0,
    )


def test_the_learning_rate_is_in_proportion_to_the_batch():
    assert made(1.0).protocol.rate == 0.01 * 64 / 256


def test_a_recorded_probe_reads_back(run, tmp_path):
    path = str(tmp_path / "small.json")
    result = run(setting=SETTINGS["released"])
    result.record(path)
    again = costlab.probe(path)
    assert str(again) == str(result)
    assert again.protocol == result.protocol
    for text in ("{}", "[]", "not JSON", json.dumps({"format": "costlab probe"})):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(ValueError, match="not a result of the gradient probe"):
            costlab.probe(str(tmp_path / "other.json"))


def test_the_chart_says_where_the_gradient_is_smallest(tmp_path):
    pytest.importorskip("matplotlib")
    from dataclasses import replace

    result = replace(
        made(1e-2, 1e-5, 1e-4), head_after="b", beside=(made(1e-9, 1e-8, 1e-3), made(3.0, 2.0, 1.0))
    )
    path = tmp_path / "g.svg"
    result.chart().save(path)
    text = path.read_text()
    for said in ("after b", "100 times below the lowest", "falls 10x to b", "does not fall"):
        assert said in text


@pytest.mark.parametrize(
    "argv, line",
    [
        (["resnet18"], "has no auxiliary classifiers"),
        (["resnet18", "--probe"], "has no auxiliary classifiers"),
        (["--probe"], "takes one network"),
        (["cnds8", "--probe", "--iterations", "0"], "choose 1 to 1000"),
        (["cnds8", "--probe", "--seeds", "0"], "choose 1 to 100"),
        (["cnds8", "--probe", "--setting", "x"], "unknown setting 'x'; choose released, sigmoid"),
        (["cnds8", "--probe", "--beside", "y"], "unknown setting 'y'"),
        (["cnds8", "--probe", "--batch", "9999"], "choose 1 to 1797"),
        (["cnds8", "--probe", "--chart", "x.xyz"], "cannot tell the format"),
        (
            ["cnds8", "--probe", "--record", "x.csv"],
            "cannot tell the format of 'x.csv'; name it .json",
        ),
        (["cnds8", "--iterations", "5"], "--iterations is for the probe; add --probe"),
        (["missing.json", "--probe"], "cannot read missing.json"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys):
    pytest.importorskip("sklearn")
    assert main(["aux", *argv]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1
