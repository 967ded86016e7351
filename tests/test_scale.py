"""Large networks: time that grows with the operations, memory under a stated bound, pictures and
reports that end, and Ctrl-C that ends any of it."""

import importlib.util
import os
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

import costlab
from costlab.analysis.diagram import LIMIT, diagram
from costlab.graph.blocks import condensed, partition
from costlab.render import pdf_tables, report_html
from costlab.report import inside, links
from costlab.trace.build import build_on_meta

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("scale", ROOT / "benchmarks/scale.py")
scale = importlib.util.module_from_spec(SPEC)
sys.modules["scale"] = scale  # its dataclass looks its module up
SPEC.loader.exec_module(scale)


def traced(make):
    model = build_on_meta(make).eval()
    return costlab.trace(model, torch.empty(1, 4, 8, 8, device="meta"))


def unlike(layers):
    """A network in which no two layers are alike, and no module holds several."""
    return nn.Sequential(*(nn.Conv2d(4 + i, 5 + i, 1) for i in range(layers)))


class Branches(nn.Module):
    """A 1x1 and a 3x3 layer beside each other, added: one channel more than before."""

    def __init__(self, before):
        super().__init__()
        self.short = nn.Conv2d(before, before + 1, 1)
        self.wide = nn.Conv2d(before, before + 1, 3, padding=1)

    def forward(self, x):
        return self.short(x) + self.wide(x)


# --- the benchmark, at sizes that a test can wait for


@pytest.mark.slow
def test_time_and_memory_grow_with_the_operations():
    """8,000 operations against 2,000: 16 times as long would be quadratic, as often as it is
    measured. They have 8% of the memory that 100,000 may take, beside what is imported on the
    way."""
    for _ in range(3):  # what else runs may disturb one
        small, large = (scale.case(str(n)) for n in (2000, 8000))
        assert large[-1].peak < 0.08 * scale.MOST_MEMORY + 150
        pairs = zip(small, large, strict=True)
        steep = [b.name for a, b in pairs if b.cpu >= 8 * max(a.cpu, 0.3)]  # shorter ones are noise
        if not steep:
            break
    assert steep == []


@pytest.mark.slow
def test_a_transformer_of_70_billion_params():
    pytest.importorskip("transformers")
    assert scale.case(scale.LLAMA)[-1].peak < scale.MOST_LLAMA


# --- diagrams of more blocks than can be shown


@pytest.mark.slow
def test_blocks_of_a_module_are_one_where_there_are_too_many():
    """10 stages of 100 blocks of two convolutions: 2,000 boxes would be too many. Blocks of a stage
    are alike, but for the first one, which has the width of the stage before it as its input."""
    trace = traced(lambda: scale.stages(5000))
    assert len(partition(trace).children) == 2001
    found = diagram(trace)
    assert [b.times for b in found.boxes] == [1, 100, *[1, 99] * 9, 1]
    assert sum(b.macs for b in found.boxes) == costlab.total(trace).macs
    assert "more than 1,500 boxes" in found.notes[0]
    inner = diagram(trace, module="3.7")
    assert len(inner.boxes) == 3 and not any("1,500" in note for note in inner.notes)


def test_blocks_of_no_module_are_shown_together():
    """1,600 unlike layers are two in a box, with an input and an output."""
    trace = traced(lambda: unlike(1600))
    found = diagram(trace)
    assert len(found.boxes) == 800 + 2
    assert sum(b.macs for b in found.boxes) == costlab.total(trace).macs


@pytest.fixture
def twenty_boxes(monkeypatch):
    """The limit of boxes as 20, so that a short network exceeds it."""
    monkeypatch.setattr(sys.modules["costlab.graph.blocks.condensed"], "MOST", 20)
    monkeypatch.setattr(sys.modules["costlab.analysis.diagram.build"], "LIMIT", 20)


@pytest.mark.usefixtures("twenty_boxes")
@pytest.mark.parametrize("module", ["body", "outer.body"])
def test_blocks_of_a_long_module_are_shown_together(module):
    """24 unlike layers in `body` are two in a box, beside one input; the layers before and after
    the module are not drawn."""
    parts = OrderedDict(stem=nn.Conv2d(4, 4, 1), body=unlike(24), head=nn.Conv2d(28, 8, 1))
    inner = nn.Sequential(parts)
    outer = nn.Sequential(OrderedDict(outer=inner)) if module == "outer.body" else inner
    found = diagram(traced(lambda: outer), module=module)
    assert len(found.boxes) == 12 + 1 and found.macs == sum(b.macs for b in found.boxes)
    # 8 x 8 places; 1x1 layers of 4 + i inputs and 5 + i outputs
    assert found.macs == 64 * sum((4 + i) * (5 + i) for i in range(24))
    assert any("more than 20 boxes" in note for note in found.notes)


@pytest.mark.usefixtures("twenty_boxes")
def test_a_module_of_too_many_branches_is_drawn_without_them():
    """12 blocks of two branches, each of another width: 12 boxes and not 12 x 3, beside the layer
    before them and the output."""
    blocks = nn.Sequential(*(Branches(4 + i) for i in range(12)))
    found = diagram(traced(lambda: nn.Sequential(nn.Conv2d(4, 4, 1), blocks)), module="1")
    assert len(found.boxes) == 12 + 2 and found.depth == 0
    assert any("more than 20 boxes" in note for note in found.notes)


@pytest.mark.slow
def test_a_network_that_can_be_shown_is_as_it_was():
    trace = traced(lambda: unlike(LIMIT - 1))
    assert condensed(trace) is partition(trace)
    assert len(diagram(trace).boxes) == LIMIT + 1  # the output too


# --- reports


@pytest.fixture(scope="module")
def long_report():
    return costlab.report(traced(lambda: unlike(120)), sections=["table"])


def test_a_page_of_many_rows_has_the_first_ones(long_report, monkeypatch):
    monkeypatch.setattr(report_html, "MOST_ROWS", 100)
    page = long_report.render("html").decode()
    assert page.count("<tr data-row=") == 100 and "the first 100 of 120 rows" in page


def test_a_pdf_of_many_rows_has_the_first_ones(long_report, monkeypatch):
    from pdf_words import pages

    monkeypatch.setattr(pdf_tables, "MOST_ROWS", 20)
    words = " ".join(w.text for page in pages(long_report.render("pdf")) for w in page.words)
    assert "the first 20 of 120 rows" in words
    assert "8x8x24" in words and "8x8x25" not in words  # the outputs of layers 19 and 20


def test_what_is_inside_the_rows_of_a_report_has_a_limit(monkeypatch):
    """Stages of 20 layers with weights each, blocks of 4 of them alike in all: 10 rows; the first
    three have room."""
    trace = traced(lambda: scale.stages(500))
    shown = costlab.table(trace, depth=1)
    whole = inside.layers_inside(trace, shown)
    assert len(whole) == 10
    most = sum(len(rows) for rows in list(whole.values())[:3])
    monkeypatch.setattr(inside, "MOST_ROWS", most)
    assert list(inside.layers_inside(trace, shown)) == list(whole)[:3]


def test_boxes_are_linked_to_the_rows_that_share_operations():
    trace = traced(lambda: scale.stages(500))
    rows = costlab.table(trace, depth=1).rows
    found = links.box_links(trace, rows, diagram(trace).boxes)
    assert set(found.values()) == {(row.id,) for row in rows}


# --- Ctrl-C

_STOPPED = """
import os, signal, sys, threading, time
import torch
import costlab
import scale
from costlab.trace.build import build_on_meta

def stop(begin):
    while time.process_time() - begin < wait:
        time.sleep(0.005)
    stopped.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
model = build_on_meta(lambda: scale.stages(5000)).eval()
x = torch.empty(1, 4, 8, 8, device="meta")
trace = costlab.trace(model, x)
steps = {
    "trace": lambda: costlab.trace(model, x),
    "table": lambda: costlab.table(trace, depth=2),
    "diagram": lambda: costlab.diagram(trace).draw("svg"),
    "save": lambda: trace.save("x.trace"),
}
for name, step in steps.items():
    stopped, wait = [], 0.02 if name == "save" else 0.1
    threading.Thread(target=stop, args=(time.process_time(),)).start()
    try:
        step()
        print(name, "ended by itself")
    except KeyboardInterrupt:
        print(name, time.process_time() - stopped[0], os.listdir())
"""


@pytest.mark.slow
def test_ctrl_c_ends_what_a_large_network_takes(tmp_path):
    """Each step ends within half a second of CPU time, and leaves no half-written file."""
    done = subprocess.run(
        [sys.executable, "-c", _STOPPED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
    assert [name for name, *_ in lines] == ["trace", "table", "diagram", "save"]
    assert all(float(seconds) < 0.5 and left == "[]" for _, seconds, left in lines)
