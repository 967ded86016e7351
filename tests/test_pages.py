"""Pages of reports: none but the last more than half empty, contents on the first, no table with a
row alone on a page, pictures in a size that can be read."""

import io
import re
import shutil
import subprocess

import pytest
import torch
from pdf_words import pages
from selection import slow_but, slow_but_every
from torch import nn

import costlab
from costlab.analysis.diagram import diagram
from costlab.api._models import as_trace
from costlab.render.diagram import Room, sheets
from costlab.render.document import Document, Grid, Picture, Section, Text
from costlab.render.fullness import PPI, Blank, blank, emptiness, half_empty
from costlab.render.pdf import WAYS, Way, _best_first, pdf, typst_source
from costlab.render.pdf_tables import typst_table
from costlab.render.typeset import compile
from costlab.report import Config, build
from costlab.tables import Column, Sheet

pypdf = pytest.importorskip("pypdf")
pytest.importorskip("typst")
Image = pytest.importorskip("PIL.Image")
needs_poppler = pytest.mark.skipif(not shutil.which("pdftoppm"), reason="pdftoppm is not here")
REVIEW = ("torchvision:resnet50", "torchvision:wide_resnet50_2")


def blank_parts(data):
    """Of each page, the part of its height that is blank, by poppler: gaps of over a third of an
    inch."""
    made = subprocess.run(
        ["pdftoppm", "-r", "36", "-gray", "-"], input=data, capture_output=True, check=True
    ).stdout
    found = []
    stream = io.BytesIO(made)
    while stream.readline():
        wide, high = map(int, stream.readline().split())
        stream.readline()
        rows = [min(stream.read(wide)) < 200 for _ in range(high)][30:-30]
        gaps = re.findall(r"0+", "".join("01"[row] for row in rows))
        found.append(sum(len(gap) for gap in gaps if len(gap) > 12) / len(rows))
    return found


@pytest.mark.slow
@needs_poppler
@pytest.mark.parametrize(
    "what",
    [
        "torchvision:densenet201",
        "torchvision:swin_t",
        "torchvision:resnet50",
        "torchvision:vit_b_16",
        REVIEW,
    ],
    ids=str,
)
def test_no_page_but_the_last_is_more_than_half_empty(what):
    """Of a model, or of base and head; tests/test_committed_reports.py has our own."""
    if isinstance(what, tuple):
        made = costlab.report(base=what[0], head=what[1], device="meta")
    else:
        made = costlab.report(what, device="meta")
    data = made.render("pdf")
    *pages, _ = blank_parts(data)
    assert pages and max(pages) <= 0.5
    assert "Contents" in pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()


def page_of(*stripes, high=280):
    """A PNG of 200 pixels by `high`, with black rows."""
    image = Image.new("L", (200, high), 255)
    for start, end in stripes:
        image.paste(0, (50, start, 150, end))
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    "stripes, part, above",
    [
        ([], 1.0, 0.0),
        ([(20, 260)], 0.0, 0.0),
        ([(20, 140)], 0.5, 0.0),  # the margins of 20 pixels do not count
        ([(140, 260)], 0.5, 0.5),
        ([(20, 80), (140, 200)], 0.5, 0.25),
        ([(20, 80), (200, 260)], 0.5, 0.5),
        ([(y, y + 2) for y in range(20, 260, 8)], 0.0, 0.0),  # text: 6 pixels are 18 points
    ],
)
def test_gaps_between_paragraphs_are_not_blank(stripes, part, above):
    assert PPI == 24
    found = blank(page_of(*stripes))
    assert (found.all, found.above) == (
        pytest.approx(part, abs=0.01),
        pytest.approx(above, abs=0.01),
    )


def test_a_gap_inside_a_page_is_worse_than_one_at_its_foot_and_the_last_page_is_free():
    full, foot, inside = Blank(0.0, 0.0), Blank(0.4, 0.0), Blank(0.4, 0.4)
    assert emptiness([full, inside]) == emptiness([full, full]) == 0.0
    assert emptiness([foot, full]) < emptiness([inside, full])
    assert emptiness([Blank(0.2, 0), Blank(0.2, 0), full]) < emptiness([foot, full, full])
    assert half_empty([Blank(0.6, 0.0), full]) and not half_empty([foot, Blank(0.9, 0.0)])


@pytest.mark.parametrize("count", [2, 3])
def test_pictures_of_a_page_have_no_gap_between_them(count):
    """High pictures stand where they are spoken of if the pages are as full as with those at the
    foot."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 250">'
    svg = f'{head}<path d="M0 0H300V250Z"/></svg>'
    parts = [Text(("WORDS " * 400,))]
    for i in range(count):
        parts += [Picture(svg, f"Picture {i}", "Alternative", f"p{i}"), Text(("SHORT",))]
    document = Document("TITLE", "", (Section("a", "HEADING", tuple(parts)),))
    best = _best_first(document)[0]
    others = [typst_source(document, way) for way in WAYS]
    gaps = [emptiness([blank(p) for p in compile(*source, ppi=PPI)]) for source in (best, *others)]
    assert gaps[0] == min(gaps)


def test_no_picture_stands_below_the_text_that_ends_a_document():
    """Pictures that wait for a page with room come before the last section."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 250">'
    svg = f'{head}<path d="M0 0H300V250Z"/></svg>'
    pictures = [Picture(svg, f"Picture {i}", "Alternative", f"p{i}") for i in range(4)]
    parts = (Text(("WORDS " * 200,)), *pictures)
    document = Document(
        "TITLE",
        "",
        (Section("a", "HEADING", parts), Section("b", "LAST", (Text(("CLOSING",)),))),
    )
    source = typst_source(document, Way(sideways=False, floating=True))
    *_, last = pages(compile(*source, "ua-1")[0])
    places = [(word.y, word.text) for word in last.words if word.y > 40]  # not the page number
    assert min(places)[1].strip() == "CLOSING"


@pytest.mark.parametrize("rows", slow_but_every(4, range(2, 60, 3)))
def test_a_table_never_leaves_one_row_on_a_page(rows):
    """Each row has a name of its own; a page of the table has several of them, or all."""
    cells = tuple({"layer": f"layer-{i}", "params": 1000 + i} for i in range(rows))
    sheet = Sheet("t", (Column("layer"), Column("params", "count")), cells, (), {"params": 1})
    text = Text("A sentence that takes a line of the page. " * 80)
    document = Document("t", "s", (Section("a", "A", (text, Grid(sheet, "Layers", "layers"))),))
    pages = pypdf.PdfReader(io.BytesIO(pdf(document))).pages
    counts = [len(re.findall(r"layer-\d+", page.extract_text())) for page in pages]
    assert sum(counts) == rows
    assert 1 not in counts


def wide_table(rows, wide, sparse=0, notes=()):
    """Columns that most rows have something in, and `sparse` that one row has something in each."""
    columns = [Column("layer"), *(Column(f"size of {i}", "count") for i in range(wide + sparse))]
    cells = [{"layer": f"layer-{r}"} for r in range(rows)]
    for r, row in enumerate(cells):
        row.update((f"size of {i}", 1000 + i) for i in range(wide))
        row.update((f"size of {i}", 7) for i in range(wide, wide + sparse) if i % rows == r)
    return Grid(Sheet("t", tuple(columns), tuple(cells), notes), "Layers", "layers", main=True)


def test_the_notes_of_a_turned_table_stay_with_it():
    notes = tuple(f"Note number-{i} of the table. {'It says more. ' * 8}" for i in range(4))
    grid = wide_table(16, 17, notes=notes)
    assert typst_table(grid, "a4", sideways=False).turned
    assert "rotate" in typst_table(grid, "a4", sideways=True).source
    text = Text("A sentence that takes a line of the page. " * 120)
    document = Document("t", "s", (Section("a", "A", (text, grid, text)),))
    source = typst_source(document, Way(sideways=True, floating=True))
    pages = pypdf.PdfReader(io.BytesIO(compile(*source, "ua-1")[0])).pages
    texts = [re.sub(r"\s", "", page.extract_text()) for page in pages]
    (place,) = [i for i, text in enumerate(texts) if "layer-0" in text]
    assert all(f"number-{i}" in texts[place] for i in range(4))


def test_many_sparse_columns_become_one_where_that_keeps_the_page_upright():
    table = typst_table(wide_table(10, 5, sparse=12), "a4", sideways=False)
    assert not table.turned
    header = table.source.split("table.header")[1].split("table.hline")[0]
    assert re.findall(r'#"([^"]*)"', header) == [
        "layer",
        *(f"size of {i}" for i in range(5)),
        "further columns",
    ]
    # the sparse column i has something in row i % 10
    assert re.findall(r'#"(size of [^"]* 7)"', table.source) == [
        "size of 10 7",
        "size of 11 7",
        "size of 12 7",
        "size of 13 7",
        "size of 14 7",
        "size of 5 7; size of 15 7",
        "size of 6 7; size of 16 7",
        "size of 7 7",
        "size of 8 7",
        "size of 9 7",
    ]
    assert "left out" not in table.source


def test_few_sparse_columns_stay():
    """Table 1 of GoogLeNet has none that is sparse: it is turned and whole."""
    assert typst_table(wide_table(10, 16, sparse=3), "a4", sideways=False).turned


@pytest.mark.parametrize(
    "spec, depth",
    slow_but(
        ("torchvision:vgg19", "torchvision:densenet121"),
        [("torchvision:vgg19", 0), ("torchvision:densenet121", 1), ("inception_v3", 1)],
    ),
)
def test_a_diagram_of_a_report_is_in_its_size_on_each_page(spec, depth):
    """No picture of a page is larger than the page, upright or turned, so that none is scaled."""
    pages = sheets([diagram(as_trace(spec, "report"), depth)], Room(468.0, 590.0))
    for page in pages:
        ((wide, high),) = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', page)
        short, long = sorted((float(wide), float(high)))
        assert short <= 480 and long <= 610


def test_a_long_diagram_has_a_figure_a_page_in_the_pdf_and_one_on_a_screen():
    layers = [nn.Conv2d(8, 8, 3, padding=1) for _ in range(80)]
    document = build(
        Config(sections=("diagram",)),
        [costlab.trace(nn.Sequential(*layers), torch.empty(1, 8, 8, 8))],
        None,
        "costlab report",
        lambda spec: as_trace(spec, "report"),
    )
    (long,) = [p for p in document.parts() if isinstance(p, Picture) and p.pages]
    names = re.findall(r'class="node"><title>([^;<]*)', long.svg)
    assert names == [
        name for page in long.pages for name in re.findall(r'class="node"><title>([^;<]*)', page)
    ]
    text = " ".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(pdf(document))).pages)
    assert f"Figure 1, page {len(long.pages)} of {len(long.pages)}" in text
    assert len(long.pages) > 1


@pytest.mark.parametrize("high", [120, 300], ids=["in place", "at the foot"])
def test_a_picture_follows_the_title_and_what_speaks_of_it(high):
    """A picture early on the first page does not go above the title."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 {high}"/>'
    picture = Picture(svg, "PICTURE", "Alternative", "p")
    parts = (Text(("BEFORE",)), picture, Text(("AFTER",)))
    written = pdf(Document("TITLE", "", (Section("a", "HEADING", parts),)))
    place = {
        name: -word.y
        for word in pages(written)[0].words
        for name in ("TITLE", "BEFORE", "PICTURE", "AFTER")
        if name in word.text
    }
    order = sorted(place, key=place.__getitem__)
    last = ["PICTURE", "AFTER"] if high == 120 else ["AFTER", "PICTURE"]
    assert order == ["TITLE", "BEFORE", *last]
