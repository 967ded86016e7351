"""What a user is told while a model is measured, and when it cannot be."""

import signal
import subprocess
import sys

import pytest
import torch
from torch import nn

from costlab.cli import main
from costlab.measure import MeasureError, measure
from costlab.measure.cpu import Cpu
from costlab.measure.progress import STAGES, Progress, Reporter


def test_stages_cover_the_whole():
    assert sum(STAGES.values()) == pytest.approx(1)


def test_progress_says_what_is_done_and_how_long_is_left():
    assert str(Progress("the whole model", 0.25, None)) == "measuring: the whole model (25%)"
    assert str(Progress("its modules alone, 3 of 9", 0.7, 4.2)) == (
        "measuring: its modules alone, 3 of 9 (70%, about 4 s left)"
    )


def test_every_stage_is_told_in_order():
    steps = []
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
    measure(model, torch.randn(1, 8), device="cpu", blocks=2, progress=steps.append)
    fractions = [s.fraction for s in steps]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] < 1
    assert [s.stage.split(",")[0] for s in steps] == [
        *list(STAGES)[:-1],
        *2 * ["its modules alone"],
    ]


def test_the_estimate_is_the_time_so_far_over_what_is_done(monkeypatch):
    clock = iter([100.0, 106.0, 106.0])
    monkeypatch.setattr("costlab.measure.progress.time.perf_counter", lambda: next(clock))
    steps = []
    Reporter(steps.append)("its modules alone", 5, 10)  # 60% before it, and half of 40%
    assert steps[0].fraction == pytest.approx(0.8)
    assert steps[0].seconds_left == pytest.approx(6 * 0.2 / 0.8)


def test_an_interrupt_stops_at_once():
    def interrupt(step):
        if step.stage == "the whole model":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(nn.ReLU(), torch.randn(4), device="cpu", progress=interrupt)
    assert not torch.is_inference_mode_enabled()


def test_weights_larger_than_the_device_are_one_line(monkeypatch):
    monkeypatch.setattr(Cpu, "free_bytes", lambda self: 10_000)
    line = r"the weights take 0.0 GB in fp32, and .* has 0.0 GB free; choose a smaller model"
    with pytest.raises(MeasureError, match=line):
        measure(nn.Linear(100, 100), torch.randn(1, 100), device="cpu")


def test_running_out_of_memory_is_one_line():
    class Huge(nn.Module):
        def forward(self, x):
            return x.expand(1 << 45).clone()

    with pytest.raises(MeasureError, match="the model does not fit: .* try a smaller batch") as e:
        measure(Huge(), torch.randn(1), device="cpu")
    assert "\n" not in str(e.value)


def test_a_model_that_does_not_fit_is_refused_before_it_is_built(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Cpu, "free_bytes", lambda self: 3_000_000_000)
    out = tmp_path / "x.trace"
    argv = ["trace", "transformers:LlamaConfig", "--measure", "--device", "cpu", "-o", str(out)]
    assert main(argv) == 2
    line = capsys.readouterr().err
    # Llama's default configuration has 6,738,415,616 params of 4 bytes
    assert "the weights take 27.0 GB in fp32" in line and "has 3.0 GB free" in line
    assert line.count("\n") == 1 and not out.exists()


def test_ctrl_c_ends_a_measurement_in_one_line_and_leaves_no_file(tmp_path):
    net = tmp_path / "net.py"
    net.write_text(
        "import time\nfrom torch import nn\n"
        "class Slow(nn.Module):\n"
        "    runs = 0\n"
        "    def forward(self, x):\n"
        "        print('running', flush=True)\n"
        "        Slow.runs += 1\n"
        "        time.sleep(600 if Slow.runs == 4 else 0)  # the fourth waits for Ctrl-C\n"
        "        return x.relu()\n"
        "build = Slow\n"
    )
    argv = ["trace", f"{net}:build", "--input", "1x8", "--measure", "--device", "cpu"]
    code = f"import sys; from costlab.cli import main; sys.exit(main({argv!r} + ['-o', 'x.trace']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(4):  # it is being measured
        assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=240)  # long before the fourth run is over
    finally:
        process.kill()
    assert out == ""  # and no run follows
    assert process.returncode == 130 and err.strip() == "costlab: interrupted"
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != "") == ["net.py"]
