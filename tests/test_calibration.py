"""Calibrating a device: what is measured in which order, within which time, and what is kept. The
device is a fake, whose clock moves only when it is asked for a time."""

import itertools
import json
from collections import Counter

import pytest
import torch

import costlab
from costlab.cli import main
from costlab.predict import ProfileError
from costlab.predict.calibration import run as running
from costlab.measure.replay import CaptureError
from costlab.predict.calibration.batches import in_batch
from costlab.predict.calibration.calls import Operands, Store, call_of
from costlab.predict.calibration.design import SHARES, cases, farthest_first
from costlab.predict.calibration.journal import part_of, read_journal
from costlab.predict.calibration.networks import random_network
from costlab.predict.calibration.run import GIVE_UP, Plan, calibrate
from costlab.predict.calibration.shapes import collected
from costlab.predict.calibration.spaces import Draw, spread
from costlab.predict.calibration.timing import time_calls
from costlab.predict.device_file import read_calibration
from costlab.predict.fitting.whole import FEWEST_NETWORKS
from costlab.predict.kernels import (
    FAMILIES,
    Convolution,
    Elementwise,
    Product,
    kernels_of,
)
from costlab.trace.tracer import trace

CALL = 0.004  # seconds that each call of the fake takes
# of a kernel: 2 calls to see how long one takes, and 5 blocks, of one call and then of the 64 with
# other weights
LONGEST = 2 * CALL + 5 * CALL + 2 * CALL + 5 * 64 * CALL


class Fake:
    """A device whose calls all take as long; `clock` is the seconds that passed on it."""

    kind = "cpu"
    notes = []

    def __init__(self):
        self.clock = 0.0
        self.fails = lambda: False

    def describe(self):
        return {"device": "Fake", "threads": 1, "cores": None}

    def sample(self):
        return {"load": 0.5}

    def cache_bytes(self):
        return 2**16

    def free_bytes(self):
        return 2**22

    def seconds(self, fn, calls, meanwhile=None):
        if self.fails():
            raise RuntimeError("no kernel for this\nin two lines")
        several = len(getattr(fn, "calls", (fn,)))  # in a chain
        self.clock += CALL * several * calls
        return CALL * several

    def issue_seconds(self, fn, operations):
        return 2e-6


@pytest.fixture
def fake(monkeypatch):
    device = Fake()
    monkeypatch.setattr(running, "find_device", lambda name: device)
    return device


REAL = {Convolution(1, 8, 8, 6, 6, 3, 3, 1, 1, 1, 1): 3, Product(1, 4, 8, 8): 1}


def plan(seconds=5.0, conditions=(("fp32", "contiguous"),)):
    return Plan(lambda: REAL, conditions, seconds)


def measure(fake, path, seconds=5.0, **options):
    return calibrate(path, plan(seconds), clock=lambda: fake.clock, **options)


def test_the_time_is_kept_and_the_file_holds_all_that_was_done(fake, tmp_path):
    path = tmp_path / "fake.device"
    found = measure(fake, path)
    assert 5.0 <= found.seconds <= 5.0 + LONGEST
    read = read_calibration(path)
    assert set(read.points) == set(found.points)  # the file has them by family
    assert (read.facts, read.networks, read.seconds) == (found.facts, found.networks, found.seconds)
    assert found.host == 2e-6
    assert found.facts.device == "Fake" and found.facts.machine == {"threads": 1}
    assert len(found.points) > 20
    assert {p.warm.median for p in found.points} == {CALL}
    assert not (tmp_path / "fake.device.part").exists()


def test_resume_goes_on_and_measures_nothing_twice(fake, tmp_path):
    path = tmp_path / "fake.device"
    first = measure(fake, path, 3.0)
    second = measure(fake, path, 3.0, resume=True)
    assert set(first.points) < set(second.points)
    assert len(set(second.points)) == len(second.points)
    assert second.seconds == pytest.approx(first.seconds + 3.0, abs=LONGEST)
    assert second.facts == first.facts


def test_a_run_that_is_interrupted_keeps_what_is_done(fake, tmp_path):
    path = tmp_path / "fake.device"

    def stop(step):
        if fake.clock > 2.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(fake, path, progress=stop)
    assert len(read_calibration(path).points) > 10


def test_a_journal_with_a_torn_line_is_read_up_to_it_and_gone_on_with(fake, tmp_path):
    path = tmp_path / "fake.device"
    done = measure(fake, path, 3.0)
    path.unlink()
    lines = [{"facts": {**vars(done.facts), "notes": []}}]
    from costlab.predict.device_rows import point_row

    lines += [{"family": p.kernel.family, "point": point_row(p)} for p in done.points[:4]]
    part = tmp_path / "fake.device.part"
    whole = "\n".join(map(json.dumps, lines))
    part.write_text(whole[:-9])  # the fourth point was cut while it was written
    facts, found = read_journal(str(part))
    assert (facts.device, found.points) == ("Fake", list(done.points[:3]))
    resumed = measure(fake, path, 3.0, resume=True)
    assert resumed.points[:3] == done.points[:3]
    assert set(done.points[:4]) <= set(resumed.points)
    assert not part.exists()


class FakeGpu(Fake):
    """Kernels are captured and replayed; its tensors are on the CPU."""

    kind = "cuda"
    captures = 0

    def capture(self, fn):
        self.captures += 1
        return fn


def test_a_gpu_replays_kernels_and_memory_is_given_back(tmp_path, monkeypatch):
    """Each timing is captured, warm and cold; memory that is held for nobody is given back once
    between two kernels, when it is more than 4 GiB."""
    gpu, given_back = FakeGpu(), []
    monkeypatch.setattr(running, "find_device", lambda name: gpu)
    monkeypatch.setattr(running, "Store", lambda kind, *rest: Store("cpu", *rest))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 5 << 30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 0)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(1))
    conditions = (("fp32", "contiguous"), ("bf16", "channels-last"))
    found = calibrate(
        tmp_path / "gpu.device", plan(6.0, conditions), device="cuda", clock=lambda: gpu.clock
    )
    assert gpu.captures == len(found.points) + sum(p.cold is not None for p in found.points)
    failed = sum(n for why, n in found.failed.items() if not why.startswith("a network"))
    assert len(given_back) == len(found.points) + failed
    assert failed <= 2
    assert {(p.dtype, p.layout) for p in found.points if p.kernel.layouts} == set(conditions)


def test_what_a_gpu_cannot_replay_is_no_measurement(monkeypatch):
    """From Python it would take the host's time."""
    gpu = FakeGpu()

    def refuse(fn):
        raise CaptureError("it synchronizes")

    monkeypatch.setattr(gpu, "capture", refuse)
    with pytest.raises(CaptureError):
        time_calls(gpu, [lambda: None])


def test_a_file_that_is_there_is_refused_before_the_networks_are_traced(fake, tmp_path):
    path, asked = tmp_path / "fake.device", []
    measure(fake, path)
    again = Plan(lambda: asked.append(1) or REAL, [("fp32", "contiguous")], 5.0)
    with pytest.raises(ProfileError, match="there is a calibration in "):
        calibrate(path, again)
    assert not asked


def test_there_is_a_file_already(fake, tmp_path):
    path = tmp_path / "fake.device"
    measure(fake, path, 1.0)
    before = path.read_bytes()
    with pytest.raises(ProfileError, match="there is a calibration in .*fake.device"):
        measure(fake, path, 1.0)
    assert path.read_bytes() == before


def test_another_device_is_not_mixed_in(fake, tmp_path, monkeypatch):
    path = tmp_path / "fake.device"
    measure(fake, path, 1.0)
    monkeypatch.setattr(Fake, "describe", lambda self: {"device": "Other"})
    with pytest.raises(ProfileError, match="was measured on Fake .* this is Other"):
        measure(fake, path, 1.0, resume=True)
    assert read_calibration(path).facts.device == "Fake"


def test_what_fails_is_skipped_and_noted(fake, tmp_path):
    turns = itertools.count()
    fake.fails = lambda: next(turns) % 40 == 0
    found = measure(fake, tmp_path / "fake.device")
    assert found.points
    assert found.failed["RuntimeError: no kernel for this"] >= 2


def test_a_device_that_always_fails_is_given_up(fake, tmp_path):
    fake.fails = lambda: True
    found = measure(fake, tmp_path / "fake.device")
    assert not found.points
    assert found.failed == {"RuntimeError: no kernel for this": GIVE_UP, **_networks(found)}


def _networks(found):
    return {why: n for why, n in found.failed.items() if why.startswith("a network")}


def test_the_command(fake, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("costlab.api._calibrate._shapes", lambda: REAL)
    path = str(tmp_path / "fake.device")
    options = ["calibrate", "--device", "cpu", "--minutes", "0.02", "-o", path]
    defaults = {**running.calibrate.__kwdefaults__, "clock": lambda: fake.clock}
    monkeypatch.setattr(running.calibrate, "__kwdefaults__", defaults)
    assert main(options) == 0
    assert "kernels and 0 networks of Fake in 0.0 minutes" in capsys.readouterr().out
    assert main(options) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*options, "--resume"]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--minutes", "0"], "0 minutes cannot be measured for"),
        (["--minutes", "nan"], "nan minutes"),
        (["--dtypes", "fp64"], "unknown dtype 'fp64'"),
        (["--layouts", "nhwc"], "unknown layout 'nhwc'"),
        (["--layouts", ","], "nothing to measure"),
        (["--dtypes", "tf32"], "tf32 products are for CUDA"),
    ],
)
def test_what_cannot_be_measured_is_said(options, said, tmp_path, capsys):
    path = str(tmp_path / "x.device")
    assert main(["calibrate", "--device", "cpu", "-o", path, *options]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_file_must_be_called_device(capsys):
    assert main(["calibrate", "-o", "x.trace"]) == 2
    assert "name it .device" in capsys.readouterr().err


def test_each_family_has_its_share_and_real_shapes_come_first():
    listed = list(itertools.islice(cases(REAL, [("fp32", "contiguous")], "cpu"), 400))
    drawn = [kernel for kernel, _, _ in listed[37:]]  # after 1 + 4 + 2 * 16 of the ceilings
    counts = {f: sum(k.family == f for k in drawn) for f in SHARES}
    for family, share in SHARES.items():
        assert counts[family] == pytest.approx(share * len(drawn), abs=1.5)
    convolutions = [k for k in drawn if k.family == "convolution"]
    assert set(convolutions[:2]) == {k for c in REAL for k in (c, in_batch(c, 8))} & set(
        convolutions
    )
    assert len(set(listed)) == len(listed)


def test_usual_layouts_are_measured_three_times_as_often():
    conditions = list(itertools.product(("fp32", "bf16"), ("contiguous", "channels-last")))
    listed = list(itertools.islice(cases({}, conditions, "cuda"), 2000))
    of = Counter((dtype, layout) for kernel, dtype, layout in listed if kernel.layouts)
    assert of["fp32", "contiguous"] == pytest.approx(of["bf16", "channels-last"], abs=1)
    assert of["fp32", "channels-last"] == pytest.approx(of["fp32", "contiguous"] / 3, abs=6)


def test_farthest_first():
    """The most frequent one first. From it (8 elements) 32 is two doublings away and 64 three; the
    first is as frequent as four together, which weighs 1 + log2(4) = 3 times: 6 against 3."""
    eight, thirty_two, sixty_four = (Elementwise("relu", n) for n in (8, 32, 64))
    order = list(farthest_first({thirty_two: 4, sixty_four: 1, eight: 8}))
    assert order == [eight, thirty_two, sixty_four]


def test_halton():
    """The 20 first draws are left out: 20 = 10100 in base 2 is 0.00101 = 5 / 32, and 202 in base 3
    is 0.202 = 2 / 3 + 2 / 27."""
    draw = Draw(0)
    assert draw.unit() == 5 / 32
    assert draw.unit() == pytest.approx(2 / 3 + 2 / 27)


@pytest.mark.parametrize("family", FAMILIES)
def test_spread_kernels_are_of_their_family_and_can_be_run(family):
    """The first forty are of the family and of a positive size; the smallest of them is run in
    both layouts."""
    found = list(itertools.islice(spread(family), 40))
    assert {k.family for k in found} == {family}
    assert len(set(found)) > 20
    store = Store("cpu", torch.float32, 2**22)
    smallest = min(found, key=lambda k: k.read + k.written + k.flops)
    for channels_last in (False, True):
        out = call_of(smallest, Operands(store, channels_last))()
        out = out[0] if isinstance(out, tuple) else out
        assert out.numel() == smallest.written


def test_calls_make_the_kernel_that_they_are_of():
    """A call, traced, runs the kernel that it was made from, in every family."""
    for family in FAMILIES:
        kernel = min(itertools.islice(spread(family), 40), key=lambda k: k.read + k.flops)
        store = Store("cpu", torch.float32, 2**22)
        call = call_of(kernel, Operands(store))

        class Calls(torch.nn.Module):
            def forward(self, x, call=call):
                return call()

        traced = trace(Calls(), (torch.zeros(1),), device="cpu")
        ran = [op.kernel for op in kernels_of(traced) if op.kernel]
        assert family in {k.family for k in ran}
        assert sum(k.flops for k in ran) == pytest.approx(kernel.flops, rel=0.1)


def test_weights_of_two_turns_share_no_memory():
    store = Store("cpu", torch.float32, 2**16)
    first = Operands(store).weight(64, 64)
    second = Operands(store, turn=64 * 64).weight(64, 64)
    assert first.data_ptr() + 4 * 64 * 64 == second.data_ptr()
    assert Operands(store).values(64).data_ptr() < first.data_ptr()
    with pytest.raises(ValueError, match="are more than the store"):
        store.values(2**17)


@pytest.mark.parametrize(
    ("kernel", "batched"),
    [
        (Product(1, 4, 8, 8), Product(1, 32, 8, 8)),
        (Product(2, 4, 8, 8, False), Product(16, 4, 8, 8, False)),
        (Elementwise("add", 8, 8), Elementwise("add", 64, 64)),
        (Elementwise("add", 8, 4), Elementwise("add", 64, 4)),
    ],
)
def test_in_a_batch_of_eight(kernel, batched):
    assert in_batch(kernel, 8) == batched
    assert in_batch(kernel, 1) is kernel


def test_the_collected_shapes_are_those_of_networks():
    """More than 2,000 kernels of all families; none of the torchvision networks that predictions
    are held to account on was asked, but ResNet-50's last 3x3 is among them."""
    found = collected()
    assert len(found) > 2000
    assert {k.family for k in found} == set(FAMILIES)
    assert Convolution(1, 512, 512, 7, 7, 3, 3, 1, 1, 1, 1) in found


def test_random_networks_are_the_same_for_a_seed_and_leave_the_random_state():
    before = torch.get_rng_state()
    first, inputs = random_network(7)
    again, _ = random_network(7)
    assert torch.equal(before, torch.get_rng_state())
    assert str(first) == str(again)
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
    assert not first.training
    for seed in range(12):
        model, inputs = random_network(seed)
        assert len(trace(model, inputs, device="meta").ops) > 5


def test_blocks_of_a_fake():
    """Two warm-up calls, two to see how long one takes, and five blocks of one call, because 4 ms
    are longer than a block of 3 ms."""
    fake, calls = Fake(), []
    found = time_calls(fake, [lambda: calls.append(1)])
    assert (found.median, found.low, found.high) == (CALL, CALL, CALL)
    assert len(calls) == 2
    assert fake.clock == pytest.approx((2 + 5) * CALL)


def test_part():
    assert part_of("a/h200.device") == "a/h200.device.part"


def test_predict_of_the_file(fake, tmp_path):
    """All kernels took 4 ms, so that 3 of them take 12 ms; there are too few networks to say that
    a whole takes more or less."""
    path = tmp_path / "fake.device"
    assert len(measure(fake, path, 8.0).networks) < FEWEST_NETWORKS
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3, padding=1)
    )
    traced = costlab.trace(model, torch.zeros(1, 3, 16, 16), device="meta")
    found = costlab.predict(traced, path)
    assert found.total.seconds == pytest.approx(3 * CALL, rel=0.01)
    assert found.total.low <= found.total.seconds <= found.total.high
    assert "predicted" in str(found) and "Fake" in str(found)
