"""Calibrating a device: what is measured in which order, within which time, and what is kept. The
device is a fake, whose clock moves only when it is asked for a time."""

import itertools
import json
import re
import sys

import pytest
import torch

import costlab
from costlab.cli import main
from costlab.predict import ProfileError
from costlab.predict.calibration import run as running
from costlab.measure.replay import CaptureError
from costlab.predict.calibration.calls import Store
from costlab.predict.calibration.journal import part_of, read_journal
from costlab.predict.calibration.limits import Limits
from costlab.predict.calibration.run import GIVE_UP, Plan, calibrate
from costlab.predict.calibration.timing import time_calls, time_kernel
from costlab.predict.device_file import read_calibration
from costlab.predict.fitting.whole import FEWEST_NETWORKS
from costlab.predict.kernels import Convolution, Lookup, Product

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


def test_the_host_is_not_timed_while_it_loads_kernels(fake, tmp_path, monkeypatch):
    """The first of several times holds what is loaded once."""
    taken = itertools.chain([6e-3], itertools.repeat(2e-6))
    monkeypatch.setattr(fake, "issue_seconds", lambda fn, operations: next(taken))
    assert measure(fake, tmp_path / "fake.device", 1.0).host == 2e-6


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
    said = capsys.readouterr().out
    assert re.search(r"\d+ kernels and \d networks of Fake in 0\.0 minutes", said)
    assert main(options) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*options, "--resume"]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--minutes", "0"], "minutes is 0; give a time above 0"),
        (["--minutes", "nan"], "minutes is nan; give a time above 0"),
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


def test_blocks_of_a_fake():
    """Four calls to warm up and to see how long one takes, and five blocks of one call, because
    4 ms are longer than a block of 3 ms."""
    fake = Fake()
    found = time_calls(fake, [lambda: None])
    assert (found.median, found.low, found.high) == (CALL, CALL, CALL)
    assert fake.clock == pytest.approx((4 + 5) * CALL)


def test_what_is_slow_is_tried_less_often(monkeypatch):
    """A call of 30 ms: twice, and three blocks of one call."""
    fake = Fake()
    monkeypatch.setattr(sys.modules[__name__], "CALL", 0.03)
    time_calls(fake, [lambda: None])
    assert fake.clock == pytest.approx((2 + 3) * 0.03)


@pytest.mark.parametrize(
    ("fetching", "cold"),
    [
        (0.009 * CALL, False),  # 1% of a call and more is measured
        (0.011 * CALL, True),
    ],
)
def test_weights_that_are_fetched_quickly_are_not_measured_cold(fetching, cold):
    """64 KB of weights overflow a cache of 64 KB in two turns."""
    fake, store = Fake(), Store("cpu", torch.float32, 2**20)
    kernel = Product(1, 1, 64, 256)
    found = time_kernel(fake, kernel, store, channels_last=False, fetching=fetching)
    assert (found[1] is not None) == cold


def test_slow_kernels_get_no_more_than_a_quarter_of_the_time(monkeypatch):
    """By the first rates of a CPU a product of 4 * 10^8 FLOPs is expected to take 20 ms, which is
    slow, and one of 4 * 10^7 2 ms."""
    slow, quick = Product(1, 200, 1000, 1000), Product(1, 20, 1000, 1000)
    monkeypatch.setattr(Fake, "free_bytes", lambda self: 2**30)
    limits = Limits(Fake())
    assert limits.allow(slow, "fp32", 2**27)
    limits.learn(slow, "fp32", 0.02, spent=0.1)
    assert not limits.allow(slow, "fp32", 2**27) and limits.allow(quick, "fp32", 2**27)
    limits.learn(quick, "fp32", 0.002, spent=0.31)
    assert limits.allow(slow, "fp32", 2**27)


@pytest.mark.parametrize(
    ("kernel", "fits"),
    [
        (Lookup(rows=1, width=1024, table=1023), True),  # and 1024 of the result: 2^20
        (Lookup(rows=1, width=1024, table=1024), False),
        (Product(1, 256, 1024, 600), True),  # 153,600 + 614,400 + 262,144 = 1,030,144
        (Product(1, 256, 1024, 700), False),  # 179,200 + 716,800 + 262,144 = 1,158,144
    ],
)
def test_operands_and_result_fit_into_the_store(kernel, fits, monkeypatch):
    """Of 2^20 = 1,048,576 elements; a table is there as a whole, whatever is read of it."""
    monkeypatch.setattr(Fake, "free_bytes", lambda self: 2**30)
    assert Limits(Fake()).allow(kernel, "fp32", 2**20) == fits


def test_part():
    assert part_of("a/h200.device") == "a/h200.device.part"


def test_predict_of_the_file(fake, tmp_path):
    """All kernels took 4 ms, so that 3 of them take 12 ms; there are too few networks to say that
    a whole takes more or less."""
    path = tmp_path / "fake.device"
    assert len(measure(fake, path, 16.0).networks) < FEWEST_NETWORKS
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3, padding=1)
    )
    traced = costlab.trace(model, torch.zeros(1, 3, 16, 16), device="meta")
    found = costlab.predict(traced, path)
    assert found.total.seconds == pytest.approx(3 * CALL, rel=0.01)
    assert found.total.low <= found.total.seconds <= found.total.high
    assert "predicted" in str(found) and "Fake" in str(found)
