"""The reports of reports/: none is stale, no page is half empty, no text is small or cut, and the
note says what its ledger says. Each is built and set once for all of these."""

import io
import re
from functools import cache

import pytest

import costlab
from costlab.analysis.claims.result import WRONG
from costlab.cli import main
from costlab.render.report_html import page
from pdf_words import misplaced, pages
from test_claims import ledger
from test_note import REPORTS
from test_pages import blank_parts, needs_poppler
from test_report import sections_without_content

pypdf = pytest.importorskip("pypdf")
pytest.importorskip("typst")

# a report that is built in seconds; the others are slow
QUICK = {"grid-reduction"}
NAMES = [
    pytest.param(file.stem, marks=[pytest.mark.slow] * (file.stem not in QUICK))
    for file in sorted(REPORTS.glob("*.toml"))
]


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch):
    """`make reports` names its files from there, and a report says how it was made."""
    monkeypatch.chdir(REPORTS.parent)


@cache
def report_of(name):
    """A report as `make reports` builds it."""
    file = f"reports/{name}.toml"
    command = f"costlab report --config {file} -o FILE.pdf (or FILE.html)"
    return costlab.report(config=file, device="meta", command=command)


@cache
def printed(name):
    return report_of(name).render("pdf")


@cache
def pages_of(name):
    return pages(printed(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_reports_are_not_stale(name):
    said = f"costlab document {report_of(name).document.digest}"
    committed = (REPORTS / f"{name}.pdf").read_bytes().decode("latin-1")
    assert said in committed, f"reports/{name}.pdf is stale: run make reports"


@pytest.mark.parametrize("name", NAMES)
def test_no_section_says_only_that_there_is_nothing(name):
    assert sections_without_content(page(report_of(name).document)) == []


def test_the_command_makes_the_same_document(tmp_path):
    out = tmp_path / "r.html"
    config = ["--config", "reports/grid-reduction.toml", "--device", "meta"]
    assert main(["report", *config, "-o", str(out)]) == 0
    said = re.search(r"costlab document ([0-9a-f]{32})", out.read_text())
    assert said and said[1] == report_of("grid-reduction").document.digest


@needs_poppler
@pytest.mark.parametrize("name", NAMES)
def test_no_page_but_the_last_is_more_than_half_empty(name):
    *most, _ = blank_parts(printed(name))
    assert most and max(most) <= 0.5
    assert "Contents" in pypdf.PdfReader(io.BytesIO(printed(name))).pages[0].extract_text()


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_under_7_points(name):
    """In tables and pictures too, turned or not: the height of a letter under all matrices."""
    sizes = [word.height for sheet in pages_of(name) for word in sheet.words]
    assert sizes and min(sizes) >= 6.95


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_at_a_page_edge(name):
    assert misplaced(pages_of(name)) == []


# ---- the note


def note():
    """The document of reports/note.toml."""
    return report_of("note").document


def grids():
    """The tables of the note by their ids."""
    return {part.id: part for part in note().parts() if hasattr(part, "sheet")}


@pytest.mark.slow
def test_every_statement_of_the_note_is_in_one_topic():
    said = [
        row["what is said"]
        for name, part in grids().items()
        if name.startswith("says-")
        for row in part.sheet.rows
    ]
    assert sorted(said) == sorted(claim.entry.says for claim in ledger().claims)


@pytest.mark.slow
def test_every_error_of_the_note_is_listed_with_what_is_true():
    rows = grids()["wrong"].sheet.rows
    wrong = [claim for claim in ledger().claims if claim.verdict in WRONG]
    assert [row["what is said"] for row in rows] == [claim.entry.says for claim in wrong]
    pairs = zip(rows, wrong, strict=True)
    assert all(row["what was found"].startswith(claim.finding) for row, claim in pairs)
    assert {c.id for c in wrong} >= {"C12", "C13", "C44", "C51", "C52", "C53", "C59", "C68"}


@pytest.mark.slow
def test_every_picture_of_the_note_is_drawn():
    """The note's figures in its order, by what is drawn here."""
    drawn = [part.id for part in note().parts() if hasattr(part, "svg")]
    wanted = (
        "mlpconv",  # NIN.png
        "nin",  # mlpconv.png
        "mixing",  # cccp.png, 1x1_conv.png
        "naive-and-reduced",  # inception.png, inception_reduction.png
        "blocks",  # googlenet.png
        "towers",  # Deeper.png
        "aux-googlenet",  # Auxiliary.png
        "aux-cnds8",  # Auxiliary2.png
        "fields",  # Convolutions.png, Convolutions3.png
        "module-figure5_1",  # Convolutions2.png
        "module-figure6_1",  # Convolutions4.png
        "schemes-drawn-1",  # Convolutions5.png
        "module-reduction1",  # Convolutions6.png
        "v2-blocks",
    )
    assert [name for name in drawn if name in wanted] == list(wanted)
    tables = grids()
    assert {"network", "printed", "v2", "v2-printed", "results-1", "results-2"} <= set(tables)


@pytest.mark.slow
def test_a_printed_table_keeps_every_cell():
    rows = grids()["printed"].sheet.rows
    by_type = {row["type"]: row for row in rows}
    assert len(rows) == 19 and by_type["inception (3a)"]["params"] == "159K"
    assert by_type["inception (5a)"]["ops"] == "54M" and by_type["linear"]["ops"] == "1M"
