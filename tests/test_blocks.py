"""The partition of a trace into blocks, and the resnet style's rows that come from it."""

import time

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab.graph import layer_graph, longest, partition
from costlab.graph.draft import Draft, Geometry, Near
from costlab.tables import table


class Of(nn.Module):
    """A function, and layers that it calls."""

    def __init__(self, fn, *layers):
        super().__init__()
        self.fn, self.layers = fn, nn.ModuleList(layers)

    def forward(self, x):
        return self.fn(x, *self.layers)


def conv(k=3, i=8, o=8, **kw):
    return nn.Conv2d(i, o, k, padding=k // 2, **kw)


def seq(*m):
    return nn.Sequential(*m)


def residual(*body):
    return Of(lambda x, b: x + b(x), seq(*body))


def traced(*modules, shape=(1, 8, 16, 16)):
    return costlab.trace(seq(*modules).eval(), torch.empty(shape, device="meta"), device="meta")


def attention(width=8):
    """Of the tokens of a grid."""

    def attend(x, qkv, out):
        y = x.flatten(2).transpose(1, 2)
        q, k, v = qkv(y).chunk(3, -1)
        y = out((q @ k.transpose(1, 2)).softmax(-1) @ v)
        return x + y.transpose(1, 2).reshape(x.shape)

    return Of(attend, nn.Linear(width, 3 * width), nn.Linear(width, width))


def excite():
    gate = seq(nn.AdaptiveAvgPool2d(1), conv(1, 8, 2), nn.ReLU(), conv(1, 2, 8), nn.Sigmoid())
    return Of(lambda x, g: x * g(x), gate)


def inner_add():
    """A block that adds two convolutions before it adds its input."""
    return Of(lambda x, a, b, c: x + c(a(x) + b(x)), conv(3), conv(5), conv(1))


def repvgg():
    return Of(lambda x, a, b, n: a(x) + b(x) + n(x), conv(3), conv(1), nn.BatchNorm2d(8))


def pool_mixer():
    return Of(lambda x, p: x + (p(x) - x), nn.AvgPool2d(3, 1, 1))


def csp():
    """Half of the channels through residual blocks."""

    def cross(x, body):
        a, b = x.chunk(2, 1)
        return torch.cat([a, body(b)], 1)

    small = lambda: residual(conv(1, 4, 4), conv(3, 4, 4))  # noqa: E731
    return Of(cross, seq(small(), small(), conv(1, 4, 4)))


def projected():
    return Of(lambda x, b, s: b(x) + s(x), seq(conv(3), conv(3)), conv(1))


ROWS = [
    (
        "alike blocks",
        (residual(conv(), conv()), residual(conv(), conv())),
        ["[3x3, 8; 3x3, 8] x 2"],
    ),
    ("a projected first block", (projected(), residual(conv(), conv())), ["[3x3, 8; 3x3, 8] x 2"]),
    (
        "attention and MLP alternate",
        [m for _ in range(3) for m in (attention(), residual(conv(1), nn.GELU(), conv(1)))],
        ["[[linear, 24; attention; linear, 8]; [1x1, 8; 1x1, 8]] x 3"],
    ),
    ("an add inside", (inner_add(), inner_add()), ["[{[3x3, 8] | [5x5, 8]}; 1x1, 8] x 2"]),
    (
        "RepVGG",
        (conv(7), repvgg(), repvgg(), repvgg()),
        ["7x7, 8", "{[3x3, 8] | [1x1, 8] | pass} x 3"],
    ),
    ("a pool mixer", (pool_mixer(), pool_mixer()), ["[3x3 avg pool] x 2"]),
    ("cross-stage partial", (csp(),), ["{[[1x1, 4; 3x3, 4] x 2; 1x1, 4] | pass}"]),
    (
        "squeeze and excitation",
        (residual(conv(1), excite(), conv(1)),),
        ["[1x1, 8; squeeze-excite, 2; 1x1, 8]"],
    ),
    (
        "up and down",
        (conv(3, stride=2), nn.ConvTranspose2d(8, 8, 2, 2)),
        ["3x3, 8, stride 2", "2x2 transposed, 8, stride 2"],
    ),
    (
        "an outer skip over inner ones",
        (residual(residual(conv()), residual(conv()), conv(1)),),
        ["[[3x3, 8] x 2; 1x1, 8]"],
    ),
    ("a bare product", (conv(), Of(lambda x: x * x.mean(1, keepdim=True))), ["3x3, 8"]),
]


@pytest.mark.parametrize("modules, rows", [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_blocks_in_words(modules, rows):
    t = table(traced(*modules), "resnet")
    assert [r.cells["layers"] for r in t.rows] == rows
    assert sum(r.macs for r in t.rows) == t.macs


def every_op_once_at_each_level(trace):
    whole = partition(trace)
    forward = [i for i, op in enumerate(trace.ops) if op.of is None]
    assert list(whole.ops) == forward
    for block in whole.walk():
        if block.children:
            assert sorted(i for c in block.children for i in c.ops) == list(block.ops)
            assert sorted(n for c in block.children for n in c.nodes) == list(block.nodes)
        assert block.kind != "repeat" or block.times == len(block.children) > 1


NETS = {
    **{name: modules for name, modules, _ in ROWS},
    "two heads": (Of(lambda x, a, b: (a(x), b(x)), conv(1), conv(3)),),
    "dense": (
        Of(
            lambda x, a, b: torch.cat([x, a(x), b(torch.cat([x, a(x)], 1))], 1),
            conv(),
            conv(3, 16, 4),
        ),
    ),
    "a tangle": (Of(lambda x, a, b: torch.relu(a(x) * b(a(x)) + b(x) * a(b(x))), conv(), conv(1)),),
    "no layer": (nn.ReLU(),),
}


@pytest.mark.parametrize("name", NETS)
def test_every_operation_is_in_one_block_at_each_level(name):
    every_op_once_at_each_level(traced(*NETS[name]))


def test_a_block_knows_its_inputs_and_outputs():
    trace = traced(conv(), residual(conv(1), conv(1)), conv())
    (block,) = [b for b in partition(trace).children if b.kind == "residual"]
    before, after = (layer_graph(trace)[i].output for i in (1, 4))
    assert (block.inputs, block.outputs, block.skip) == ((before,), (after,), True)
    assert (block.path, len(block.branches), block.times) == ("1", 1, 1)


def test_module_names_only_group_what_is_in_a_row():
    """Strided blocks of mobile networks have no shortcut: their layers are one row beside the
    residual blocks."""
    strided = seq(conv(1), conv(3, groups=8, stride=2), conv(1))
    t = table(traced(residual(conv(), conv()), strided, residual(conv(), conv())), "resnet")
    assert [r.cells["layers"] for r in t.rows] == [
        "[3x3, 8; 3x3, 8]",
        "[1x1, 8; 3x3 depthwise, 8, stride 2; 1x1, 8], no shortcut",
        "[3x3, 8; 3x3, 8]",
    ]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_the_time_steps_of_a_recurrent_layer_are_one_layer(kind, layers):
    model = Of(lambda x, r, f: f(r(x)[0]), kind(4, 5, layers, batch_first=True), nn.Linear(5, 2))
    trace = costlab.trace(model, torch.zeros(1, 9, 4))
    assert longest(layer_graph(trace)) == layers + 1


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_a_cell_that_is_called_for_each_step_is_one_layer(kind):
    def steps(x, cell, head):
        state = None
        for t in range(x.shape[1]):
            state = cell(x[:, t], state)
        return head(state[0] if isinstance(state, tuple) else state)

    trace = costlab.trace(Of(steps, kind(4, 5), nn.Linear(5, 2)), torch.zeros(1, 9, 4))
    assert longest(layer_graph(trace)) == 2


class Elman(nn.Module):
    """A recurrent cell of one's own, whose name does not say so."""

    def __init__(self):
        super().__init__()
        self.of_input, self.of_state = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x, state):
        return torch.tanh(self.of_input(x) + self.of_state(state))


class SharedCell(nn.Linear):
    """No recurrent cell, whatever its name: it has no state beside its input."""


@pytest.mark.parametrize("steps", [2, 3, 9])
def test_a_cell_is_known_by_the_products_that_it_adds(steps):
    def run(x, cell, head):
        state = x.new_zeros(x.shape[0], 4)
        for t in range(steps):
            state = cell(x[:, t], state)
        return head(state)

    trace = costlab.trace(Of(run, Elman(), nn.Linear(4, 2)), torch.zeros(1, steps, 4))
    assert longest(layer_graph(trace)) == 2


def test_a_layer_that_is_applied_to_its_own_output_is_deep():
    def run(x, layer):
        for _ in range(5):
            x = layer(x).relu()
        return x

    trace = costlab.trace(Of(run, SharedCell(4, 4)), torch.zeros(1, 4))
    assert longest(layer_graph(trace)) == 5


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_two_steps_of_a_recurrent_layer_are_one_layer(kind):
    trace = costlab.trace(kind(4, 5, batch_first=True), torch.zeros(1, 2, 4))
    assert longest(layer_graph(trace)) == 1


class Skip(nn.Module):
    """A layer, and a skip from it to the end of what reads it: two layers."""

    def __init__(self):
        super().__init__()
        self.before, self.inside = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = self.before(x)
        return x + self.inside(x.relu())


def test_a_skip_over_a_layer_is_no_recurrent_cell():
    trace = costlab.trace(nn.Sequential(Skip(), Skip()), torch.zeros(1, 4))
    assert longest(layer_graph(trace)) == 2 * 2


def test_a_stage_s_last_1x1_is_not_the_next_one_s_reduce():
    t = table(traced(conv(1), conv(3, stride=2), conv(1), conv(3)), "paper")
    assert [r.cells["type"] for r in t.rows] == ["convolution"] * 3
    assert [r.cells.get("#3x3 reduce") for r in t.rows] == [None, None, 8]


FAMILIES = [
    "convnext_atto", "swin_tiny_patch4_window7_224", "repvgg_a0", "poolformer_s12", "cspdarknet53",
    "mobilenetv3_small_100", "halonet26t", "focalnet_tiny_srf", "edgenext_xx_small", "densenet121",
]  # fmt: skip


def timm_trace(name):
    try:  # a torchvision of another build than torch does not import
        import timm
    except (ImportError, RuntimeError) as e:
        pytest.skip(f"timm: {e}")
    with torch.device("meta"):
        model = timm.create_model(name).eval()
    shape = (1, *model.default_cfg["input_size"])
    return costlab.trace(model, torch.empty(shape, device="meta"), device="meta")


def reads_well(trace):
    """At most 40 rows, which add up; none is a bare addition, and "no shortcut" is not said of what
    has one."""
    every_op_once_at_each_level(trace)
    t = table(trace)
    assert len(t.rows) <= 40
    assert sum(r.macs for r in t.rows) == t.macs
    nodes = layer_graph(trace)
    for r in t.rows:
        cell = r.cells.get("layers", "")
        assert not cell.startswith("join")
        if "no shortcut" in cell:
            adds = ("aten.add", "aten.add_")
            ends = [nodes[i] for i in r.nodes if nodes[i].kind == "join"]
            assert not any(n.op.name in adds for n in ends)
    assert max(len(c.key) for c in t.columns) < 40


@pytest.mark.parametrize(
    "name",
    slow_but({"convnext_atto", "mobilenetv3_small_100", "swin_tiny_patch4_window7_224"}, FAMILIES),
)
def test_auto_reads_well(name):
    reads_well(timm_trace(name))


@pytest.mark.slow
def test_auto_reads_well_for_one_model_of_each_family():
    timm_trace("resnet18")
    import timm

    small = ("nano", "tiny", "small", "atto", "pico", "xxs", "_xs", "_s", "s0", "b0", "18", "50")
    for family in sorted(timm.list_modules()):
        names = timm.list_models(module=family)
        if names:
            name = next((n for n in names if any(w in n for w in small)), names[0])
            reads_well(timm_trace(name))


class Unread(nn.Module):
    """A product of its weights that nothing reads after each of its linear layers but the first,
    and one before each."""

    def __init__(self, layers):
        super().__init__()
        self.layers, self.weight = layers, nn.Parameter(torch.ones(4, 4))

    def forward(self, x):
        for _ in range(self.layers):
            _ = self.weight * 2
            x = x @ self.weight
        _ = self.weight * 3
        return x


def test_operations_that_nothing_reads_belong_to_the_next_layer():
    """A layer has the product before it; the last one also the product after it."""
    nodes = layer_graph(costlab.trace(Unread(3), torch.rand(2, 4)))
    names = [[op.name.removeprefix("aten.") for op in n.ops] for n in nodes]
    assert names == [[], ["mul", "mm"], ["mul", "mm"], ["mul", "mm", "mul"]]


def test_the_layer_after_an_operation():
    """The first layer, in their order, with an operation after a place; without one the last."""
    layers = [Draft("conv", None, i, (), [], 0, Geometry()) for i in range(4)]
    places = [(0, 5), (1, 3), (1, 9), (2, 4), (3, 11)]  # a layer, and the place of its operation
    near = Near()
    for layer, place in places:
        near.add(place, layers[layer])
    for place in range(14):
        later = [layer for layer, at in places if at > place]
        assert near.after(place) is layers[later[0] if later else 3]


def test_finding_the_layers_after_operations_takes_time_in_their_number():
    """8 times the layers and operations; 64 times the time would be quadratic."""

    def seconds(layers):
        near = Near()
        for i in range(layers):
            near.add(i, Draft("conv", None, i, (), [], 0, Geometry()))
        begin = time.process_time()
        assert [near.after(i).output for i in range(layers - 1)] == list(range(1, layers))
        return time.process_time() - begin

    seconds(1000)
    assert seconds(32_000) < 24 * seconds(4000)
