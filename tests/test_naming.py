"""File names of measured traces."""

from pathlib import Path

import pytest
import torch
from selection import slow_but_every

import costlab
from costlab.measure.naming import RunName, device_slug

MEASURED = Path(__file__).parent.parent / "reports" / "measurements"


@pytest.mark.parametrize(
    "name, slug",
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm4"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("Intel(R) Xeon(R) Processor @ 2.20GHz", "xeon"),
        ("AMD EPYC 9B14", "epyc-9b14"),
        ("CPU", "cpu"),
    ],
)
def test_devices(name, slug):
    assert device_slug(name) == slug


def test_a_name_says_model_device_dtype_layout_and_input():
    name = RunName("5x5-as-3x3-3x3", "h200", "bf16", "nhwc", "32x256x28x28")
    assert name.file == "5x5-as-3x3-3x3.h200.bf16.nhwc.32x256x28x28.trace"


@pytest.mark.parametrize(
    "file", slow_but_every(6, sorted(MEASURED.glob("*.trace"))), ids=lambda f: f.name
)
def test_committed_traces_are_called_what_they_are(file):
    assert RunName.of(costlab.Trace.load(file)).file == file.name


def test_there_are_measured_traces_and_no_two_of_one_run():
    assert len(list(MEASURED.glob("*.trace"))) >= 35


def test_a_trace_without_measurements_has_no_name():
    with pytest.raises(ValueError, match="was not measured"):
        RunName.of(costlab.trace(torch.nn.ReLU(), torch.empty(1, 2), device="meta"))
