"""What building and tracing a model had to say stands beside every number of it."""

import re

import pytest
import torch
from torch import nn

import costlab
from costlab.analysis.verify import verify
from costlab.cli import main
from costlab.tables import caveats

NET = """
import torch
from torch import nn

def build(width=4):
    torch.ones(1).item()
    return nn.Sequential(nn.Conv2d(3, width, 5, padding=2), nn.MaxPool2d(2), nn.Conv2d(width, 8, 3))
"""
SAID = "built on the CPU, because on meta:"


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """A model whose factory reads a value, so that it cannot be built on meta."""
    file = tmp_path_factory.mktemp("caveats") / "net.py"
    file.write_text(NET)
    return f"{file}:build"


@pytest.mark.parametrize(
    "words",
    ["table", "memory", "grid", "factorize", "compare resnet18", "factorize --apply best"],
)
def test_every_command_says_how_the_model_was_built(words, net, tmp_path):
    out = tmp_path / "out.txt"
    command, *rest = words.split()
    models = [net, "resnet18"] if rest[:1] == ["resnet18"] else [net, *rest]
    main([command, *models, "--input", "1x3x32x32", "-o", str(out)])
    assert SAID in out.read_text()


def test_a_comparison_names_the_model_that_a_caveat_is_of(net, tmp_path):
    out = tmp_path / "out.txt"
    main(["compare", net, "resnet18", "--input", "1x3x32x32", "-o", str(out)])
    assert f"{net}: {SAID}" in out.read_text()
    main(["compare", net, net, "--input", "1x3x32x32", "-o", str(out)])
    assert re.findall(f"^{SAID}", out.read_text(), re.M) == [SAID]


def test_a_diff_and_a_memory_estimate_say_it(net):
    loaded = costlab.load(net, ["1x3x32x32"])
    assert any(SAID in note for note in costlab.memory(loaded).sheet.notes)
    assert any(SAID in note for note in costlab.diff(loaded, loaded).sheet.notes)
    assert any(SAID in note for note in costlab.reductions(loaded).sheet.notes)
    assert any(SAID in note for note in costlab.factorize(loaded).sheet.notes)


def test_a_verification_repeats_what_the_source_said():
    pytest.importorskip("fvcore")
    found = verify(nn.Linear(4, 3), torch.zeros(2, 4), notes=("said of the file",))
    assert found.sheet.notes[-1] == "said of the file"


def test_operations_without_a_formula_are_a_caveat():
    class Unknown(nn.Module):
        def forward(self, x):
            return torch.linalg.matrix_exp(x)  # its cost depends on the values

    trace = costlab.trace(Unknown(), torch.zeros(3, 3), device="cpu")
    (line,) = caveats(trace)
    assert line.startswith("coverage: 0 of 1 ops known; totals are a lower bound")
    assert line in costlab.memory(trace).sheet.notes
