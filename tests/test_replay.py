"""Nothing that a graph reads is freed while it can be replayed: held without a GPU by a graph that
keeps weak references to what it read and fails a replay once one of them is gone."""

import dataclasses
import weakref

import pytest
import torch
from torch import nn

from costlab.measure import measure, paired, protocol
from costlab.measure.cpu import Cpu
from costlab.measure.modules import leaf_calls, time_alone
from costlab.measure.replay import ReadTensors, record


class FakeGraph:
    """Records what is read, and runs nothing when it is replayed."""

    replays = 0

    def capture_begin(self, *, capture_error_mode):
        self.mode = ReadTensors()
        self.mode.__enter__()

    def capture_end(self):
        self.mode.__exit__(None, None, None)
        self.read = [weakref.ref(t) for t in self.mode.tensors]
        del self.mode

    def replay(self):
        if not self.read or any(ref() is None for ref in self.read):
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        FakeGraph.replays += 1


class FakeGpu(Cpu):
    """A CPU that claims to have graphs, and a small cache, so that buffers are rotated."""

    method = "CUDA graph replay"
    fewest_calls, block_seconds, module_block_seconds = 1, 1e-5, 1e-5

    def capture(self, fn):
        fn()
        return record(FakeGraph(), fn)

    def cache_bytes(self):
        return 1 << 14


class Caching(nn.Module):
    """Replaces its buffer at every call: what a graph read is no longer the module's."""

    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.zeros(8))

    def forward(self, x):
        out = x + self.last
        self.last = self.last + 1
        return out


def net():
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.Dropout(), nn.Flatten())


def test_a_replay_that_owns_nothing_fails():
    """The check can fail: what the graph read goes as soon as nobody refers to it."""
    with torch.inference_mode():
        layer, x = nn.Linear(8, 8), torch.randn(2, 8)
        graph = record(FakeGraph(), lambda m=layer, x=x: m(x)).graph
        graph.replay()
        del layer, x
    with pytest.raises(RuntimeError, match="illegal memory access"):
        graph.replay()


def test_a_replay_owns_the_function_and_what_it_read():
    with torch.inference_mode():
        layer, x = nn.Linear(8, 8), torch.randn(2, 8)
        replay = record(FakeGraph(), lambda m=layer, x=x: m(x))
        assert {id(t) for t in replay.reads} == {id(x), id(layer.weight), id(layer.bias)}
        del layer, x
        replay()


def test_a_tensor_that_its_module_drops_is_kept():
    with torch.inference_mode():
        module, x = Caching(), torch.randn(8)
        replay = record(FakeGraph(), lambda: module(x))
        module(x)
        replay()
        with pytest.raises(RuntimeError, match="illegal memory access"):
            graph = dataclasses.replace(replay, reads=()).graph
            del replay
            graph.replay()


def test_results_of_the_call_itself_are_not_kept():
    """The graph's own memory may be used again between its kernels, so nothing else may hold it."""
    with torch.inference_mode():
        x = torch.randn(8)
        replay = record(FakeGraph(), lambda: x.exp().relu_().view(2, 4) + 1)
    assert [id(t) for t in replay.reads] == [id(x)]


def test_modules_alone_can_be_replayed_while_they_are_timed():
    model, x = net().eval(), torch.randn(2, 8)
    FakeGraph.replays = 0
    with torch.inference_mode():
        calls = leaf_calls(model, lambda: model(x))
        times = time_alone(FakeGpu(), calls, {})
    assert [(t.path, t.call) for t in times] == [(str(i), 0) for i in range(5)]
    assert all(t.cold for t in times[:3]) and times[0].warm == times[2].warm
    assert FakeGraph.replays > 20  # warm and cold blocks of each kind of module


@pytest.fixture
def fake_gpu(monkeypatch):
    monkeypatch.setattr(protocol, "find_device", lambda name: FakeGpu())
    FakeGraph.replays = 0


def test_paired_models_can_be_replayed(fake_gpu):
    ratio = paired(net(), net(), torch.randn(2, 8), blocks=5)
    assert ratio.runs == 5 and FakeGraph.replays >= 10


@pytest.mark.parametrize("make", [net, lambda: nn.Sequential(Caching(), nn.ReLU())])
def test_a_measured_model_can_be_replayed(fake_gpu, make):
    measured = measure(make(), torch.randn(2, 8), blocks=5).measured
    assert measured.conditions["method"] == "CUDA graph replay" and FakeGraph.replays > 20
    assert len(measured.modules) == len(make())
