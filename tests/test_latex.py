"""LaTeX tables: escaped, compiled where LaTeX is at hand, a fragment for a paper."""

import os
import re
import shutil
import subprocess

import pytest
from selection import slow_but

import costlab
from costlab.cli import main
from costlab.render import latex
from costlab.tables import Column, Shape, Sheet

needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")

LATIN_1 = " ".join(chr(c) for c in range(0x20, 0x100) if chr(c).isprintable())
STRANGE = Sheet(
    f"title {LATIN_1}",
    (Column("name"), Column("#1x1 & <more> of a header", "x"), Column("words")),
    (
        {"name": "[begins with a bracket", "words": "an option --wide -- ,, ?` !` << >>"},
        {"name": "*and a star", "#1x1 & <more> of a header": 1.5, "words": "层 → ≤ “quoted” ×"},
        {"name": "two\nlines\ttab", "words": "a text of very many words " * 5},
    ),
    notes=(LATIN_1, r"\input{x} % $y$ #1"),
    total={"name": "total"},
)


def compiled(tmp_path, document):
    """The log of pdflatex, which names the fonts."""
    (tmp_path / "paper.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "max_print_line": "1000"},
        timeout=120,
    )
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


SHEETS = {
    "paper": lambda: costlab.table("googlenet").sheet,
    "many columns": lambda: costlab.table("inception_v2").sheet,
    "resnet": lambda: costlab.table("resnet50").sheet,
    "long": lambda: costlab.table("resnet50", style="layers", depth=9).sheet,
    "groups, long": lambda: costlab.results().sheet,
    "audit": lambda: costlab.audit("googlenet").sheet,
    "strange": lambda: STRANGE,
}


@needs_latex
@pytest.mark.parametrize("name", slow_but({"paper", "groups, long", "strange"}, SHEETS))
def test_a_document_compiles_in_latin_modern(name, tmp_path):
    log = compiled(tmp_path, latex(SHEETS[name]()))
    assert "Overfull" not in log and "Missing character" not in log
    assert "/lmr10.pfb" in log and ".pk" not in log  # outlines, no bitmaps


@needs_latex
@pytest.mark.parametrize("name", ["paper", "long", "strange"])
def test_a_fragment_compiles_in_a_paper_with_what_it_says_it_needs(name, tmp_path):
    shape = Shape(caption="Cost of #1", label="tab:cost")
    text = latex(shape.of(SHEETS[name]()), fragment=True)
    packages = re.findall(r"^% .*?(\\usepackage.*)", text, re.M)
    (tmp_path / "table.tex").write_text(text)
    paper = [
        r"\documentclass{article}",
        *packages,
        r"\begin{document}Table~\ref{tab:cost}.\input{table}\end{document}",
    ]
    compiled(tmp_path, "\n".join(paper))
    log = compiled(tmp_path, "\n".join(paper))  # the second time the label is known
    assert "undefined" not in log


def test_notes_are_below_the_table_and_not_in_the_caption():
    text = costlab.table("googlenet").to_latex(label="tab:g")
    assert r"\caption{googlenet}\label{tab:g}" in text
    assert (
        text.index(r"\end{tabular}") < text.index("convention paper") < text.index(r"\end{table}")
    )


def test_grids_have_multiplication_signs_and_names_do_not():
    rows = ({"a": "56x56x96", "b": "wide_resnet50x2"}, {"a": "7x7/2 + 1x7", "b": "3x3_reduce"})
    text = latex(Sheet("t", (Column("a"), Column("b")), rows), fragment=True)
    assert r"56$\times$56$\times$96 & wide\_resnet50x2 \\" in text
    assert r"7$\times$7/2 + 1$\times$7 & 3x3\_reduce \\" in text


@needs_latex
@pytest.mark.parametrize("name", ["paper", "long", "strange"])
def test_a_bare_fragment_compiles_in_a_float_of_the_papers_own(name, tmp_path):
    text = latex(SHEETS[name](), fragment=True)
    packages = re.findall(r"^% .*?(\\usepackage.*)", text, re.M)
    (tmp_path / "table.tex").write_text(text)
    table = r"\input{table}"
    if "longtable" not in text:  # which breaks over pages, so it is no float
        table = (
            rf"\begin{{table}}\resizebox{{\linewidth}}{{!}}{{{table}}}\caption{{Own}}\end{{table}}"
        )
    paper = [
        r"\documentclass{article}\usepackage{graphicx}",
        *packages,
        rf"\begin{{document}}{table}\end{{document}}",
    ]
    assert "Missing character" not in compiled(tmp_path, "\n".join(paper))


@pytest.mark.parametrize(
    "shape, environment",
    [
        (Shape(), "tabular"),
        (Shape(title="T"), "tabular"),
        (Shape(caption="C"), "table"),
        (Shape(label="tab:t"), "table"),
    ],
)
def test_a_fragment_is_a_bare_tabular_unless_it_has_a_caption_or_a_label(shape, environment):
    sheet = Sheet("t", (Column("a"),), ({"a": "1"},), ("said below",))
    text = latex(shape.of(sheet), fragment=True)
    assert text.rstrip().endswith(rf"\end{{{environment}}}")
    assert (r"\begin{table}" in text) == (environment == "table") == (r"\caption{" in text)
    assert ("% said below" in text) == (environment == "tabular")


def test_a_caption_with_a_title_has_the_title_in_the_list_of_tables():
    sheet = Sheet("t", (Column("a"),), ({"a": "1"},))
    text = latex(Shape(title="Cost", caption="All costs.").of(sheet))
    assert r"\caption[{Cost}]{All costs.}" in text
    assert r"\caption{All costs.}" in latex(Shape(caption="All costs.").of(sheet))


@pytest.mark.parametrize("rows, kind", [(42, "table"), (43, "longtable")])
def test_a_table_of_more_than_a_page_is_a_longtable(rows, kind):
    sheet = Sheet("t", (Column("a"),), tuple({"a": str(i)} for i in range(rows)))
    text = latex(Shape(label="t").of(sheet), fragment=True)
    assert rf"\begin{{{kind}}}" in text and ("longtable" in text.split("\n")[0]) == (rows > 42)
    bare = latex(sheet, fragment=True)
    assert (r"\begin{longtable}" in bare) == (rows > 42) == (r"\begin{tabular}" not in bare)


def test_the_command_writes_a_fragment(tmp_path):
    file = tmp_path / "t.tex"
    options = ["--fragment", "--caption", "Cost_of 50%", "--label", "tab:nin"]
    assert main(["table", "nin", "-o", str(file), *options]) == 0
    text = file.read_text()
    assert text.startswith(r"% needs \usepackage{booktabs,graphicx}")
    assert r"\caption{Cost\_of 50\%}\label{tab:nin}" in text and "documentclass" not in text


@pytest.mark.parametrize(
    "options, line",
    [
        (
            ["--fragment"],
            "--fragment is for LaTeX and HTML: name the file .tex, or give --format latex",
        ),
        (["--label", "x", "--format", "csv"], "--label is for LaTeX, HTML and JSON"),
        (["--label", "a}b", "--format", "latex"], "cannot take the label 'a}b'"),
    ],
)
def test_bad_options_are_one_line(options, line, capsys):
    assert main(["table", "nin", *options]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_many_sparse_columns_are_one_where_that_keeps_the_page_upright():
    wide = latex(costlab.table("inception_v2").sheet)
    assert "landscape" not in wide and "further columns" in wide.replace(r"} \\ ", " ")
    assert "further" not in latex(costlab.table("googlenet").sheet)  # its columns are full
