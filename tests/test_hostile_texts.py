"""Names that attack what shows them, in every output: shown, and nothing more."""

import csv
import dataclasses
import io
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from xml.etree import ElementTree

import mutations
import pytest
import torch
from selection import slow_but
from mutations import NASTY_NAMES
from torch import nn

import costlab
from costlab._text import json_shown, shown, shown_lines
from costlab.cli import main
from costlab.render import terminal

# what acts on a terminal or an editor: controls but the line end, and bidi marks
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
MACHINES = ("csv", "json")


@cache
def named(name):
    """A trace in which every text of a model's own is `name`."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 1))
    trace = costlab.trace(net, torch.empty(1, 3, 8, 8))
    part = name.replace(".", "")
    ops = tuple(
        dataclasses.replace(op, module=f"{part}{i}", module_type=name, node=name)
        for i, op in enumerate(trace.ops)
    )
    params = tuple(dataclasses.replace(p, names=(f"{part}.weight",)) for p in trace.params)
    facts = {**trace.provenance, "model": name, "source": name, "notes": [name], "revision": name}
    return dataclasses.replace(trace, ops=ops, params=params, provenance=facts)


@pytest.fixture(params=[name for name in NASTY_NAMES if name != "surrogate"])  # no file has it
def nasty(request):
    return NASTY_NAMES[request.param]


def test_what_acts_is_escaped():
    assert shown("a\x1b[31m\x9b\u202e\ud800\nb") == r"a\x1b[31m\x9b\u202e\ud800\nb"
    assert shown_lines("a\n\tb\0") == "a\n\tb\\x00"
    assert shown("Größe 3×3 → 你好 👍") == "Größe 3×3 → 你好 👍"
    text = json.dumps({"a": "\u202e\x9b\U000e0041é"}, ensure_ascii=False)
    assert ACTING.search(text) and not ACTING.search(json_shown(text))
    assert json.loads(json_shown(text)) == json.loads(text)


@pytest.mark.parametrize("style", ["layers", "paper"])
@pytest.mark.parametrize("format", mutations.FORMATS)
def test_no_format_has_what_acts(format, style, nasty):
    data = costlab.table(named(nasty), style=style).render(format)
    assert not ACTING.search(data), format
    assert data.encode()


def test_the_tables_of_machines_have_the_name(nasty):
    table = costlab.table(named(nasty), style="layers")
    rows = json.loads(table.render("json"))["rows"]
    wanted = nasty.replace(".", "")
    assert any(wanted in str(value) for value in rows[0].values())
    found = list(csv.DictReader(io.StringIO(table.render("csv"))))
    assert len(found) == len(rows)
    cells = [cell for row in found for cell in row.values()]
    assert not any(re.match(r"[=@\t\r]", cell) for cell in cells)
    assert any(shown(wanted) in cell for cell in cells)


@pytest.mark.parametrize("width", [40, 200])
def test_a_terminal_shows_no_escapes_but_its_own(nasty, width):
    out = io.StringIO()
    terminal(costlab.table(named(nasty), style="layers").sheet, out, width)
    assert not ACTING.search(out.getvalue())


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_a_page_runs_nothing(nasty):
    page = costlab.table(named(nasty), style="layers").render("html")
    for tag, attributes in Elements(page).found:
        assert tag not in ("script", "img", "iframe", "object", "embed", "link", "base"), tag
        assert not any(name.startswith("on") for name in attributes)
    policy = 'http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src'
    assert policy in page


@pytest.mark.parametrize("style", ["cost", "paper"])
def test_a_diagram_is_a_picture(nasty, style):
    picture = costlab.diagram(named(nasty), style=style)
    svg = picture.draw("svg").decode()
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert "text" in tags
    assert not tags & {"script", "image", "foreignObject", "a", "use"}
    assert not ACTING.search(svg)
    dot = picture.draw("dot").decode()
    assert not ACTING.search(dot.replace("\t", ""))


def test_a_chart_is_a_picture(nasty):
    pytest.importorskip("matplotlib")
    svg = costlab.memory(named(nasty)).chart().draw("svg").decode()
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert "text" in tags and "script" not in tags
    assert not ACTING.search(svg)


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_reads_the_dot(nasty):
    dot = costlab.diagram(named(nasty)).draw("dot")
    run = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, timeout=60)
    assert run.returncode == 0, run.stderr
    ElementTree.fromstring(run.stdout)


def test_typst_sets_the_table(nasty, tmp_path):
    """What typst is given compiles, and takes no file in but those of the document."""
    pytest.importorskip("typst")
    from costlab.render.document import Document, Grid, Section
    from costlab.render.pdf import pdf

    sheet = costlab.table(named(nasty), style="layers").sheet
    section = Section(id="rows", title=nasty, parts=(Grid(sheet, nasty, "table"),))
    document = Document(title=nasty, subtitle=nasty, sections=(section,))
    assert pdf(document).startswith(b"%PDF")


ENCODINGS = {"ascii": "->", "latin-1": "->", "cp1252": "->", "utf-8": "→"}


@pytest.mark.parametrize("encoding", slow_but(("ascii",), ENCODINGS))
def test_any_encoding_of_standard_output(encoding):
    """Inception v2's table has an arrow in its notes."""
    code = "import sys; from costlab.cli import main; sys.exit(main(['table', 'inception_v2']))"
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert run.returncode == 0, run.stderr
    assert ENCODINGS[encoding] in run.stdout.decode(encoding)


def test_a_json_table_in_ascii_reads_the_same(tmp_path):
    path = tmp_path / "a.trace"
    named("Größe ∮ \U0001f44d").save(path)
    code = f"from costlab.cli import main; main(['table', {str(path)!r}, '--format', 'json'])"
    found = []
    for encoding in ("ascii", "utf-8"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        found.append(json.loads(run.stdout.decode(encoding))["rows"])
    assert found[0] == found[1]


def test_an_error_shows_what_acts_escaped(capsys):
    assert main(["table", "no\x1b[31m\u202emodel"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and not ACTING.search(err)
    assert r"no\x1b[31m\u202emodel" in err


def test_a_closed_standard_output_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["table", "nin_cifar10"]) == 2
    assert "cannot write to standard output: it is closed" in capsys.readouterr().err
