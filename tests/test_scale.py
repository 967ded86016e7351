"""Large networks: time that grows with the operations, memory under a stated bound, pictures and
reports that end, and Ctrl-C that ends any of it."""

import importlib.util
import sys
from pathlib import Path

import torch
from torch import nn

import costlab
from costlab.analysis.diagram import LIMIT, diagram
from costlab.graph.blocks import condensed, partition
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


# --- diagrams of more blocks than can be shown


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


def test_a_network_that_can_be_shown_is_as_it_was():
    trace = traced(lambda: unlike(LIMIT - 1))
    assert condensed(trace) is partition(trace)
    assert len(diagram(trace).boxes) == LIMIT + 1  # the output too


# --- reports


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
