"""Reports: the PDF's structure, the HTML in a real browser, configurations, escaping, and that the
committed reports are not stale."""

import html
import json
import re
import shutil
import time
from importlib import resources
from pathlib import Path

import pytest
import torch
from torch import nn

import costlab
from costlab import report
from costlab.analysis.change import change
from costlab.analysis.diagram import diagram
from costlab.analysis.profile import profile
from costlab.api._models import as_trace
from costlab.cli import main
from costlab.render.document import Document, Grid, Picture, Points, Ref, Section, Text
from costlab.render.report_html import page as html_page
from costlab.report import opening
from costlab.report.links import bar_links, box_links
from pdf_words import misplaced, pages
from selection import slow_but
from test_partition import MODELS, QUICK

pypdf = pytest.importorskip("pypdf")
pytest.importorskip("typst")
REPORTS = Path(costlab.__file__).parent.parent / "reports"
EVIL = '<script>alert(1)</script>#import "x": *\\input{y} & "quoted"'


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The file of GoogLeNet's trace."""
    file = tmp_path_factory.mktemp("report") / "googlenet.trace"
    assert main(["trace", "googlenet", "--device", "meta", "-o", str(file)]) == 0
    return file


@pytest.fixture(scope="module")
def as_pdf(saved):
    """GoogLeNet's report as a PDF."""
    assert main(["report", str(saved), "-o", str(saved.with_name("a.pdf"))]) == 0
    return saved.with_name("a.pdf")


@pytest.fixture(scope="module")
def as_page(saved):
    """GoogLeNet's report as an HTML page."""
    assert main(["report", str(saved), "-o", str(saved.with_name("a.html"))]) == 0
    return saved.with_name("a.html")


@pytest.mark.slow
def test_the_same_trace_gives_the_same_bytes(saved, as_pdf, tmp_path):
    assert main(["report", str(saved), "-o", str(tmp_path / "b.pdf")]) == 0
    assert as_pdf.read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_the_pdf_is_tagged_with_language_title_contents_and_embedded_fonts(as_pdf):
    pdf = pypdf.PdfReader(as_pdf)
    root = pdf.trailer["/Root"]
    assert (
        root["/Lang"].startswith("en")
        and root["/MarkInfo"]["/Marked"]
        and root["/ViewerPreferences"]["/DisplayDocTitle"]
    )
    assert (
        b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
        and pdf.metadata.title == "What googlenet costs, and why"
    )
    assert [o.title for o in pdf.outline if not isinstance(o, list)][:2] == [
        "1 Summary",
        "2 The network's table",
    ]
    fonts = {
        n: f.get_object() for p in pdf.pages for n, f in p["/Resources"].get("/Font", {}).items()
    }
    assert fonts and all(
        "/FontFile" in str(f["/DescendantFonts"][0]["/FontDescriptor"].keys())
        for f in fonts.values()
    )
    sizes = [sorted(map(float, p.mediabox[2:])) for p in pdf.pages]  # a wide table turns its page
    assert all(size == pytest.approx([595.28, 841.89], abs=0.1) for size in sizes)


def elements(node):
    node = node.get_object()
    if isinstance(node, list):
        for child in node:
            yield from elements(child)
    elif isinstance(node, dict):
        yield node
        if "/K" in node and not isinstance(node["/K"], int):
            yield from elements(node["/K"])


def test_every_figure_has_alternative_text_and_every_table_its_header(as_pdf):
    tags = [
        e
        for e in elements(pypdf.PdfReader(as_pdf).trailer["/Root"]["/StructTreeRoot"]["/K"])
        if "/S" in e
    ]
    figures = [e for e in tags if e["/S"] == "/Figure"]
    assert len(figures) == 5 and all(e["/Alt"] for e in figures)
    tables = [e for e in tags if e["/S"] == "/Table"]
    assert len(tables) == 4 and all(
        any(c["/S"] == "/THead" for c in elements(t["/K"]) if "/S" in c) for t in tables
    )


def test_the_pdf_says_the_numbers(as_pdf):
    pages = pypdf.PdfReader(as_pdf).pages
    first, text = (
        pages[0].extract_text(),
        " ".join(" ".join(p.extract_text() for p in pages).split()),
    )
    assert "Contents" in first and f"1 / {len(pages)}" in first
    for words in (
        "6,998,552 params",
        "1,582,671,872 multiply-adds",
        "inception (3b) (19%)",
        "Table 1: ",
        "Figure 4: ",
        "159.5K",
        "conv2.1.0",
        "928 input channels",
        "Not measured",
        "162 of 162 ops known",
        "To reproduce: costlab report",
    ):
        assert words in text, words
    assert re.search(r"would save 679,972,608 MACs, 43% ?\(Table ?2\)", text)


def test_letter_paper(saved, tmp_path):
    file = tmp_path / "letter.pdf"
    assert (
        main(
            [
                "report",
                str(saved),
                "--paper",
                "us-letter",
                "--sections",
                "table",
                "-o",
                str(file),
            ]
        )
        == 0
    )
    assert {tuple(map(float, p.mediabox[2:])) for p in pypdf.PdfReader(file).pages} == {
        (612.0, 792.0)
    }


def test_a_long_table_repeats_its_header(tmp_path):
    file = tmp_path / "deep.py"
    file.write_text(
        "from torch import nn\ndef build():\n    return nn.Sequential(*(nn.Conv2d(3 + i, 4 + i, "
        "1) for i in range(60)))\n"
    )
    assert (
        main(
            [
                "report",
                f"{file}:build",
                "--input",
                "1x3x8x8",
                "--sections",
                "table",
                "-o",
                str(tmp_path / "deep.pdf"),
            ]
        )
        == 0
    )
    pages = [p.extract_text() for p in pypdf.PdfReader(tmp_path / "deep.pdf").pages]
    assert len([p for p in pages if "patch" in p and "params" in p and "Conv2d" in p]) == 2


def small(spec="net", width=4):
    model = nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 2))
    return costlab.trace(model, torch.empty(1, 3, 8, 8), spec=spec)


@pytest.mark.parametrize("suffix", ["pdf", "html"])
def test_what_users_write_is_never_markup(tmp_path, suffix):
    trace, out = tmp_path / "m.trace", tmp_path / f"r.{suffix}"
    small(EVIL).save(trace)
    config = tmp_path / "r.toml"
    config.write_text(
        f"title = '''{EVIL}'''\nmodels = ['''{trace}''']\n[notes]\nsummary = '''A **note** with "
        f"{EVIL} and ![x](http://example.com/x.png)'''\n"
    )
    assert main(["report", "--config", str(config), "-o", str(out)]) == 0
    if suffix == "html":
        text = out.read_text()
        assert (
            text.count("<script") == 1
            and "&lt;script&gt;alert(1)" in text
            and "<strong>note</strong>" in text
            and "<img" not in text
        )
    else:
        text = " ".join(" ".join(p.extract_text() for p in pypdf.PdfReader(out).pages).split())
        assert "<script>alert(1)</script>#import" in text and "\\input{y} & " in text


@pytest.mark.parametrize(
    "text, line",
    [
        ("models = ['googlenet'", "line 1"),
        ("modles = ['googlenet']", "line 1: unknown key 'modles'"),
        ("title = 'x'\nsections = ['sumary']", "line 2: unknown section 'sumary'"),
        ("[notes]\nnothing = 'x'", "line 2: unknown section 'nothing'"),
        ("models = 'googlenet'", "line 1: models is a list of strings"),
        ("models = ['googlenet']\npaper = 'a3'", "line 2: unknown paper 'a3'"),
        ("models = ['googlenet']\nlogo = 'none.png'", "line 2: there is no file"),
        ("models = ['googlenet']\nlogo = 'r.toml'", "r.toml: the logo"),
        ("title = 'x'", "name a model"),
        ("models = []", "line 1: no models are named"),
        ("models = ['googlenet']\nmeasured = 'none'", "line 2: there is no folder"),
        ("# base\nbase = 'googlenet'", "line 2: a review needs both"),
        ("title = 'x'\nmodels = ['googlenet', 'googlnet']", "line 2: unknown model 'googlnet'"),
        (
            "models = ['googlenet']\nsections = ['table', 'cost', 'table']",
            "line 2: section 'table' is named twice",
        ),
        (
            "models = ['googlenet']\nsections = ['table']\n[notes]\ncost = 'x'",
            "line 4: a note for section 'cost'",
        ),
    ],
)
def test_a_broken_configuration_is_one_line_with_its_place(tmp_path, capsys, text, line):
    config = tmp_path / "r.toml"
    config.write_text(text)
    assert main(["report", "--config", str(config), "-o", str(tmp_path / "r.pdf")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1 and not list(tmp_path.glob("r.pdf*"))
    assert "line" not in line or "r.toml" in err


@pytest.mark.parametrize(
    "argv, line",
    [
        (["googlenet", "-o", "r.doc"], "name it .pdf or .html"),
        (["googlenet", "-o", "/no/such/r.pdf"], "cannot write /no/such/r.pdf"),
        (["-o", "r.pdf"], "name a model"),
        (["--base", "googlenet", "-o", "r.pdf"], "needs both --base and --head"),
        (["googlenet", "--sections", "sumary", "-o", "r.pdf"], "unknown section 'sumary'"),
        (["--config", "none.toml", "-o", "r.pdf"], "cannot read none.toml"),
        (["googlnet", "-o", "r.pdf"], "did you mean googlenet"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *argv]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_a_damaged_logo_is_one_line(tmp_path, capsys):
    for name, data in (
        ("a.png", b"\x89PNG\r\n\x1a\nno more"),
        ("b.png", b"GIF89a"),
        ("c.svg", b"<svg"),
    ):
        (tmp_path / name).write_bytes(data)
        (tmp_path / "r.toml").write_text(
            f"models = ['nin_cifar10']\nlogo = '{name}'\nsections = ['summary']\n"
        )
        assert (
            main(["report", "--config", str(tmp_path / "r.toml"), "-o", str(tmp_path / "r.pdf")])
            == 2
        )
        err = capsys.readouterr().err.rpartition("\r")[2]
        assert (
            "r.toml" in err
            and "damaged" in err
            and err.count("\n") == 1
            and not (tmp_path / "r.pdf").exists()
        )


NOTE = """### A heading

# A higher one

#### And one far below

3. three
4. four

| a | b |
| - | - |
| 1 | **2** |

A [link](https://example.com) and `code`.
"""


def test_notes_keep_their_form(tmp_path):
    (tmp_path / "r.toml").write_text(
        f"models = ['nin_cifar10']\nsections = ['summary']\n[notes]\nsummary = {json.dumps(NOTE)}\n"
    )
    for name in ("r.pdf", "r.html"):
        assert (
            main(["report", "--config", str(tmp_path / "r.toml"), "-o", str(tmp_path / name)]) == 0
        )
    page = (tmp_path / "r.html").read_text()
    assert (
        "<h3>A heading</h3>" in page
        and '<ol start="3">' in page
        and "<th>a</th>" in page
        and '<a href="https://example.com">link</a>' in page
    )
    pdf = pypdf.PdfReader(tmp_path / "r.pdf")
    assert "3. three 4. four" in " ".join(pdf.pages[0].extract_text().split())
    tags = [
        str(e["/S"]) for e in elements(pdf.trailer["/Root"]["/StructTreeRoot"]["/K"]) if "/S" in e
    ]
    assert (
        tags.count("/TH") == 2
        and tags.count("/H2") == 2
        and tags.count("/H3") == 1
        and "/Link" in tags
    )


def test_the_way_to_do_it_again_is_whole(tmp_path):
    file = tmp_path / "my net.py"
    file.write_text(
        "from torch import nn\ndef build(width=4):\n    return nn.Sequential(nn.Conv2d(3, width, "
        "3), nn.ReLU())\n"
    )
    out = tmp_path / "r.html"
    assert (
        main(
            [
                "report",
                f"{file}:build",
                "--input",
                "1x3x8x8",
                "--arg",
                "width=6",
                "--title",
                "A b",
                "--sections",
                "summary,conventions",
                "-o",
                str(out),
            ]
        )
        == 0
    )
    assert (
        f"costlab report '{file}:build' --sections summary,conventions --title 'A b' --input "
        f"1x3x8x8 --arg width=6 -o FILE.pdf" in html.unescape(out.read_text())
    )


def test_models_without_operations_and_several_models_are_described(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("from torch import nn\ndef empty():\n    return nn.Identity()\n")
    out = tmp_path / "r.html"
    assert (
        main(["report", f"{file}:empty", "nin_cifar10", "--input", "1x3x32x32", "-o", str(out)])
        == 0
    )
    text = out.read_text()
    assert (
        "0 of 0 ops known" in text
        and "nin_cifar10: 25 of 25 ops known" in text
        and "published figures for" not in text  # no section that only says that there are none
    )


def test_a_measured_trace_is_not_shown_for_another_input(tmp_path):
    from costlab.measure import measure

    measure(
        nn.Sequential(nn.Conv2d(3, 4, 3)),
        torch.randn(1, 3, 8, 8),
        device="cpu",
        blocks=3,
        isolate=False,
        spec="nin_cifar10",
    ).save(tmp_path / "nin_cifar10.trace")
    (tmp_path / "r.toml").write_text(
        "models = ['nin_cifar10']\nmeasured = '.'\nsections = ['measurements']\n"
    )
    for more, found in (([], True), (["--input", "2x3x32x32"], False)):
        assert (
            main(
                [
                    "report",
                    "--config",
                    str(tmp_path / "r.toml"),
                    *more,
                    "-o",
                    str(tmp_path / "r.html"),
                ]
            )
            == 0
        )
        assert ('id="roofline"' in (tmp_path / "r.html").read_text()) == found


@pytest.mark.parametrize(
    "file, convention",
    [
        ("googlenet.h100.fp32.nchw.1x3x224x224", "paper"),  # weights only, as the paper's Table 1
        ("alexnet.h100.fp32.nchw.1x3x227x227", "macs"),  # another network under that name
    ],
)
def test_a_measured_network_of_the_zoo_is_counted_as_that_network(file, convention, tmp_path):
    run = costlab.Trace.load(REPORTS / "measurements" / f"{file}.trace")
    assert "source" not in run.provenance  # measured before reports/measure.py recorded it
    run.provenance["model"] = "googlenet"
    run.save(tmp_path / "googlenet.trace")
    config = tmp_path / "r.toml"
    config.write_text(
        "models = ['googlenet']\nmeasured = '.'\nsections = ['table', 'conventions']\n"
    )
    assert main(["report", "--config", str(config), "-o", str(tmp_path / "r.html")]) == 0
    text = (tmp_path / "r.html").read_text()
    assert f"convention {convention}" in text
    assert ("Szegedy et al. 2014" in text) == (convention == "paper")


def test_files_beside_the_configuration_are_found_from_anywhere(tmp_path, monkeypatch):
    small("beside").save(tmp_path / "net.trace")
    (tmp_path / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9" height="9"><rect '
        'width="9" height="9"/></svg>'
    )
    (tmp_path / "r.toml").write_text(
        "models = ['net.trace']\nlogo = 'logo.svg'\nsections = ['summary']\n"
    )
    monkeypatch.chdir("/")
    for name in ("r.pdf", "r.html"):
        assert (
            main(["report", "--config", str(tmp_path / "r.toml"), "-o", str(tmp_path / name)]) == 0
        )
    assert (
        "data:image/svg+xml;base64," in (tmp_path / "r.html").read_text()
        and "beside" in (tmp_path / "r.html").read_text()
    )


def test_a_review_says_what_changed_block_by_block(tmp_path):
    base, head = small("base", 4), small("head", 6)
    result = change(base, head)
    # 3 c 9 weights on 36 places and c biases; then 36 c 2 weights and 2 biases
    assert [
        (s.name.split(" ")[0], s.what, s.params, s.macs) for s in result.steps if s.what != "equal"
    ] == [
        ("0", "changed", (112, 168), (36 * 108, 36 * 162)),
        ("3", "changed", (290, 434), (288, 432)),
    ]
    for t in (base, head):
        t.save(tmp_path / f"{t.provenance['model']}.trace")
    assert (
        main(
            [
                "report",
                "--base",
                str(tmp_path / "base.trace"),
                "--head",
                str(tmp_path / "head.trace"),
                "-o",
                str(tmp_path / "r.html"),
            ]
        )
        == 0
    )
    text = (tmp_path / "r.html").read_text()
    assert (
        "Review: base to head" in text
        and "2 changed of 2 blocks" in text
        and "+1,944 MACs, +56 params" in text
        and 'id="waterfall"' in text
    )
    assert (
        main(
            [
                "report",
                "--base",
                str(tmp_path / "base.trace"),
                "--head",
                str(tmp_path / "base.trace"),
                "-o",
                str(tmp_path / "r.html"),
            ]
        )
        == 0
    )
    assert "Every block of base equals its counterpart" in (tmp_path / "r.html").read_text()


def test_a_review_sees_what_costs_the_same_and_is_otherwise():
    """A dilation and an activation change no cost; the block that has them is named with what
    differs."""

    def net(dilation, act):
        return costlab.trace(
            nn.Sequential(
                nn.Conv2d(3, 4, 3, padding=dilation, dilation=dilation), act, nn.Conv2d(4, 4, 1)
            ),
            torch.zeros(1, 3, 8, 8),
        )

    steps = {s.name: s for s in change(net(1, nn.ReLU()), net(2, nn.SiLU())).steps}
    assert [s.what for s in steps.values()].count("equal") == 1 and any(
        "dilation: 1x1 -> 2x2" in s.cells for s in steps.values()
    )
    assert any("ReLU (relu) -> SiLU (silu)" in s.cells for s in steps.values())


class Deep(nn.Module):
    """Blocks of which the last holds most of the cost, unless there are few."""

    def __init__(self, depth):
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(3 if i == 0 else 2 ** (i + 2), 2 ** (i + 3), 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(2 ** (i + 3), 2 ** (i + 3), 3, padding=1),
            )
            for i in range(depth)
        )

    def forward(self, x):
        for block in self.down:
            x = block(x)
        return x


def test_a_block_that_is_in_both_is_never_removed_and_added_again():
    base, head = (costlab.trace(Deep(n), torch.zeros(1, 3, 8, 8), spec=f"deep{n}") for n in (5, 4))
    what = {s.name: s.what for s in change(base, head).steps}
    assert (
        "added" not in what.values()
        and [n for n, w in what.items() if w == "removed"]
        and all(n.startswith("down.4") for n, w in what.items() if w == "removed")
    )


def test_missing_parts_leave_a_sentence():
    context = report.build(
        report.Config(sections=("audit", "comparison", "opportunities", "measurements", "change")),
        [small()],
        None,
        "costlab report",
        None,
    )
    said = [
        " ".join(str(x) for x in p.parts)
        for s in context.sections
        for p in s.parts
        if isinstance(p, Text)
    ]
    assert (
        len(said) == 5
        and all(s.endswith(".") or "costlab" in s for s in said)
        and "costlab has no published figures for net" in said[0]
    )


def test_a_reference_without_its_target_is_left_out():
    words = Text(("See it", Ref("there"), " and not", Ref("gone"), "."))
    sheet = costlab.table(small()).sheet
    text = html_page(
        Document(
            "t", "s", (Section("a", "A", (words, Points((words,)), Grid(sheet, "c", "there"))),)
        )
    )
    assert text.count('See it (<a href="#there">Table 1</a>) and not.') == 2


# ---- the page in a browser

CHROMIUM = next(
    (p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as p:
        started = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(
    params=[(1280, 900), pytest.param((390, 800), marks=pytest.mark.slow)],
    ids=["desktop", "phone"],
)
def page(request, browser, as_page):
    opened = browser.new_page(viewport=dict(zip(("width", "height"), request.param, strict=False)))
    opened.asked, opened.wrong = [], []
    opened.on("request", lambda r: opened.asked.append(r.url))
    opened.on("pageerror", lambda e: opened.wrong.append(str(e)))
    opened.on("console", lambda m: opened.wrong.append(m.text))
    opened.set_default_timeout(120_000)
    opened.goto(as_page.as_uri())
    yield opened
    assert opened.wrong == [] and all(url == as_page.as_uri() for url in opened.asked)
    opened.close()


def wait_until(page, condition, argument=None):
    """As `page.wait_for_function`, whose script the page's Content-Security-Policy forbids."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if page.evaluate(condition, argument):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"not within a minute: {condition}")


def picked(page):
    return page.locator("tr.pick").evaluate_all("rows => rows.map(r => r.dataset.row)")


def rows_of(page, query):
    """Ids of the rows that the first shape of a query stands for."""
    return json.loads(page.locator(query).first.get_attribute("data-rows"))


def bar(page, field, row):
    return page.locator(f"""[data-bar="{field}"][data-rows='["{row}"]']""")


def test_a_click_on_a_block_selects_its_row_and_bars(page):
    page.locator(".diagram .node", has_text="inception (4e)").click()
    assert picked(page) == ["inception4e"] and page.url.endswith("#row%3Ainception4e")
    assert page.locator("[data-bar].pick").count() == 3 and page.locator("#picked").is_visible()
    assert "ops (MACs) 170.0M (10.7%)" in page.locator("#picked").inner_text()
    page.locator("#picked [data-go=table]").click()
    page.locator("tr.pick").wait_for(state="visible")
    page.keyboard.press("Escape")
    assert picked(page) == [] and not page.locator("#picked").is_visible()


@pytest.mark.slow
def test_bars_and_rows_select_too_by_mouse_and_by_keyboard(page):
    bar(page, "macs", "inception3a").click()
    assert picked(page) == ["inception3a"] and rows_of(page, ".node.pick") == ["inception3a"]
    name = page.get_by_role("button", name="max pool", exact=True).first
    name.focus()
    assert rows_of(page, ".node.hover") == ["pool1"]
    page.keyboard.press("Enter")
    assert picked(page) == ["pool1"] and rows_of(page, ".node.pick") == ["pool1"]
    assert (
        page.locator('tr[data-row="pool1"]').get_attribute("aria-current") == "true"
        and page.locator(".node.pick").first.get_attribute("aria-pressed") == "true"
    )
    assert page.evaluate(
        "document.activeElement.closest('#picked') !== null"
    )  # the panel is at hand
    page.keyboard.press("Escape")
    assert picked(page) == [] and page.evaluate("document.activeElement.className") == "name"
    assert "170.0M MACs" in page.locator(".diagram .node", has_text="inception (4e)").get_attribute(
        "aria-label"
    )


@pytest.mark.slow
def test_a_permalink_opens_its_row(page):
    page.goto(page.url.split("#")[0] + "#row%3Ainception5b")
    wait_until(page, "document.querySelector('tr.pick') !== null")
    assert picked(page) == ["inception5b"]


def first_cells(page, n=3):
    return page.locator("table.main tbody tr:not([hidden])").evaluate_all(
        f"rows => rows.slice(0, {n}).map(r => r.cells[0].textContent)"
    )


def test_the_table_sorts_and_filters(page):
    head = page.locator("table.main th", has_text="ops (MACs)").locator("button")
    before = first_cells(page, 99)
    head.click(), head.click()
    assert first_cells(page) == ["convolution", "inception (3b)", "inception (4e)"]
    head.click()
    assert first_cells(page, 99) == before
    box = page.locator("input.filter").first
    box.fill("inception (4")
    assert (
        first_cells(page, 99) == [f"inception (4{x})" for x in "abcde"]
        and page.locator(".find span").first.inner_text() == "5 of 19 rows"
    )
    box.fill("ops > 150M")
    assert first_cells(page, 99) == ["convolution", "inception (3b)", "inception (4e)"]
    box.fill("ops >= 1.5e8")
    assert first_cells(page, 99) == ["convolution", "inception (3b)", "inception (4e)"]
    box.fill("ops % > 10")
    assert first_cells(page, 99) == ["convolution", "inception (3b)", "inception (4e)"]
    said = page.locator(".find span").first
    assert said.inner_text() == "3 of 19 rows with ops % > 10"
    box.fill("params % > 14.5")
    assert first_cells(page, 99) == ["inception (5a)", "inception (5b)", "linear"]
    box.fill("% > 10")  # two columns are shares
    assert first_cells(page, 99) == before
    assert said.inner_text() == "% is params % or ops %"
    box.fill("foo > 3")
    assert (
        first_cells(page, 99) == before
        and page.locator(".find span").first.inner_text() == "no column foo"
    )
    box.fill("")
    assert first_cells(page, 99) == before


def test_rows_expand_to_their_layers_in_place(page):
    inside = page.locator('tr[data-of="inception3a"]')
    row = page.locator('tr[data-row="inception3a"]')
    assert inside.count() == 7 and not inside.first.is_visible()
    row.locator("button.more").click()
    assert inside.last.is_visible() and picked(page) == []
    names = inside.evaluate_all("rows => rows.map(r => r.cells[0].textContent)")
    assert names[0] == "branch1.0: Conv2d" and "branch2.1.0: Conv2d" in names
    ops = inside.evaluate_all("rows => rows.map(r => r.cells[r.cells.length - 2].dataset.v)")
    assert sum(map(int, ops)) == 128049152  # the row's own
    row.locator("button.more").click()
    assert not inside.first.is_visible()
    row.click()
    page.locator("#picked [data-open]").click()
    assert inside.first.is_visible()
    page.locator("table.main th", has_text="ops (MACs)").locator("button").click()
    before = inside.first.evaluate("row => row.previousElementSibling.dataset.row")
    assert before == "inception3a"  # what is inside stays below its row


def signs(page, **states):
    """The signs on blocks, those in a state: expanded="true"."""
    return page.locator(".sign" + "".join(f'[aria-{k}="{v}"]' for k, v in states.items()))


def test_blocks_of_the_diagram_open_and_close_in_place(page):
    assert signs(page, expanded="false").count() == 9  # the modules of GoogLeNet
    branch = page.locator(".diagram .node", has_text="1x1 conv, 96")
    assert branch.count() == 0
    sign = signs(page, label="layers of inception (3a)")
    sign.click()
    assert sign.get_attribute("aria-expanded") == "true" and branch.is_visible()
    branch.click()  # what is inside is linked to the row that it is in
    assert picked(page) == ["inception3a"] and bar(page, "macs", "inception3a").count() == 1
    other = signs(page, label="layers of inception (4e)")
    other.focus()
    page.keyboard.press("Enter")  # one block at a time
    assert branch.count() == 0 and signs(page, expanded="true").count() == 1
    assert other.get_attribute("aria-expanded") == "true"
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert picked(page) == ["inception3a"]
    assert rows_of(page, ".node.pick") == ["inception3a"]  # in the new picture
    bar(page, "macs", "inception4e").click()
    assert page.locator(".diagram .node.pick").count() == 9  # the frame and eight layers
    page.keyboard.press("Escape")
    other.focus()
    page.keyboard.press(" ")
    assert signs(page, expanded="true").count() == 0
    bar(page, "macs", "inception4e").click()
    assert page.locator(".diagram .node.pick").count() == 1


@pytest.mark.slow
def test_the_panel_opens_a_block_in_table_and_diagram(page):
    page.locator('tr[data-row="inception3a"]').click()
    page.locator("#picked [data-open]").click()
    assert page.locator('tr[data-of="inception3a"]').first.is_visible()
    assert signs(page, expanded="true").count() == 1 and picked(page) == ["inception3a"]
    page.locator("#picked [data-open]").click()
    assert not page.locator('tr[data-of="inception3a"]').first.is_visible()
    assert signs(page, expanded="true").count() == 0


@pytest.mark.slow
def test_a_zoomed_diagram_stays_where_it_is_when_a_block_opens(page):
    sign = signs(page, label="layers of inception (3b)")
    page.locator(".pan").focus()
    page.keyboard.press("+")
    scale = "s => s.getScreenCTM().a"
    svg = page.locator(".pan svg")
    before, zoom = sign.evaluate("s => s.getBoundingClientRect().top"), svg.evaluate(scale)
    sign.evaluate("s => s.dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert sign.evaluate("s => s.getBoundingClientRect().top") == pytest.approx(before, abs=1)
    assert svg.evaluate(scale) == pytest.approx(zoom)


def test_pictures_of_opened_blocks_stay_within_their_limit(monkeypatch):
    trace = costlab.trace("torchvision:mobilenet_v2")
    closed = diagram(trace)
    blocks = [b.id for b in closed.boxes if b.kind == "block"]
    every = opening.open_blocks(trace, closed, ())
    assert [o.box for o in every] == blocks and len(blocks) > 4
    monkeypatch.setattr(opening, "LIMIT", sum(len(o.svg) for o in every[:3]))
    assert [o.box for o in opening.open_blocks(trace, closed, ())] == blocks[:3]


@pytest.mark.slow
def test_the_search_finds_rows_layers_and_sections(page):
    page.keyboard.press("/")
    page.keyboard.type("branch2 conv2d")
    assert page.locator("#hits").inner_text().endswith("18 found")  # two in each of nine modules
    page.locator("#hits button").first.click()
    assert page.locator('tr[data-of="inception3a"]').first.is_visible()
    assert picked(page) == ["inception3a"]
    page.locator("#search").fill("conventions")
    page.keyboard.press("Enter")
    wait_until(
        page,
        "document.querySelector('#section-conventions').getBoundingClientRect().top < innerHeight",
    )


@pytest.mark.slow
def test_the_diagram_zooms_pans_and_resets(page):
    view = lambda: [float(v) for v in page.locator(".pan svg").get_attribute("viewBox").split()]  # noqa: E731
    whole = view()
    page.locator(".pan").focus()
    page.keyboard.press("+")
    assert view()[2] == pytest.approx(whole[2] / 1.25)
    page.keyboard.press("ArrowRight")
    moved = view()
    assert moved[0] > whole[0] + (whole[2] - moved[2]) / 2
    page.get_by_role("button", name="whole").click()
    assert view() == whole
    middle = lambda box: (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # noqa: E731
    node = page.locator(".diagram .node", has_text="inception (3a)")
    page.evaluate("y => scrollBy(0, y - 200)", node.bounding_box()["y"])
    at = middle(node.bounding_box())
    page.mouse.move(*at)
    page.keyboard.down("Control"), page.mouse.wheel(0, -100), page.keyboard.up("Control")
    wait_until(page, "w => document.querySelector('.pan svg').viewBox.baseVal.width < w", whole[2])
    assert middle(node.bounding_box()) == pytest.approx(
        at, abs=1
    )  # what is under the pointer stays there


@pytest.mark.slow
def test_a_drag_moves_and_selects_nothing(page):
    box = page.locator(".diagram .node", has_text="inception (4a)").bounding_box()
    page.evaluate("y => scrollBy(0, y - 300)", box["y"])
    box = page.locator(".diagram .node", has_text="inception (4a)").bounding_box()
    x, y, before = (
        box["x"] + box["width"] / 2,
        box["y"] + 8,
        page.locator(".pan svg").get_attribute("viewBox"),
    )
    (
        page.mouse.move(x, y),
        page.mouse.down(),
        page.mouse.move(x + 30, y + 20, steps=5),
        page.mouse.up(),
    )
    assert picked(page) == [] and page.locator(".pan svg").get_attribute("viewBox") != before
    after = page.locator(".pan svg").get_attribute("viewBox")
    page.mouse.move(x + 60, y + 60)  # let go
    assert page.locator(".pan svg").get_attribute("viewBox") == after


@pytest.mark.slow
def test_a_row_that_is_filtered_away_comes_back_when_asked_for(page):
    page.locator("input.filter").first.fill("linear")
    page.locator(".diagram .node", has_text="inception (4e)").click()
    page.locator("#picked [data-go=table]").click()
    page.locator('tr[data-row="inception4e"]').wait_for(state="visible")
    assert page.locator("input.filter").first.input_value() == ""


@pytest.mark.slow
def test_a_damaged_address_does_no_harm(page):
    page.goto(page.url.split("#")[0] + "#%")
    bar(page, "macs", "inception3a").click()
    assert picked(page) == ["inception3a"]


@pytest.mark.slow
def test_ids_are_unique_with_several_models(tmp_path):
    out = tmp_path / "r.html"
    assert main(["report", "nin_cifar10", "alexnet", "--device", "meta", "-o", str(out)]) == 0
    text = out.read_text()
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 100
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(ids)
    assert text.count('class="pan diagram linked"') == 1 and text.count('class="pan diagram"') == 1


def test_nothing_is_wider_than_the_page_and_both_schemes_differ(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    color = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")  # noqa: E731
    page.emulate_media(color_scheme="light")
    light = color()
    page.emulate_media(color_scheme="dark")
    assert color() != light
    page.emulate_media(media="print")
    assert not page.locator(".tools").first.is_visible() and not page.locator("nav").is_visible()


@pytest.mark.parametrize("spec", slow_but(QUICK, MODELS))
def test_every_box_bar_and_row_is_linked(spec):
    """A row is in a box, a box that computes has rows, a bar has its row."""
    pytest.importorskip(spec.partition(":")[0] if ":" in spec else "torch")
    trace = as_trace(spec, "report")
    rows = costlab.table(trace).rows
    ids = {row.id for row in rows}
    boxes = diagram(trace).boxes
    of_box = box_links(trace, rows, boxes)
    of_bar = bar_links(profile(trace).steps)
    assert set().union(*of_box.values()) == ids
    assert {b.id for b in boxes if b.macs or b.params} <= set(of_box)
    assert {s.id for s in profile(trace).steps} - {""} == set(of_bar)
    assert all(set(linked) <= ids for linked in of_bar.values())
    assert {row.id for row in rows if row.macs} - set(of_bar) == set() or "" in {
        s.id for s in profile(trace).steps
    }


@pytest.mark.parametrize(
    "spec", slow_but(("torchvision:resnet18",), ("torchvision:resnet18", "torchvision:vit_b_16"))
)
def test_the_page_has_every_link_of_its_pictures(spec):
    trace = as_trace(spec, "report")
    document = report.build(
        report.Config(sections=("table", "cost", "diagram")), [trace], None, "costlab report", None
    )
    text = html_page(document)
    rows = set(map(html.unescape, re.findall(r'<tr data-row="([^"]*)"', text)))
    linked = [
        json.loads(html.unescape(found)) for found in re.findall(r'data-rows="([^"]*)"', text)
    ]
    pictures = [p for p in document.parts() if isinstance(p, Picture)]
    bars = sum(len(p.links) * 3 for p in pictures if not p.diagram)  # params, MACs, activations
    boxes = sum(len(p.links) for p in pictures if p.diagram)
    in_opened = sum(len(o.links) for p in pictures for o in p.opened())
    assert in_opened and len(linked) == bars + boxes + in_opened > 20
    assert set().union(*linked) == rows == {row.id for row in costlab.table(trace).rows}


@pytest.fixture(scope="module")
def review():
    return costlab.report(base="googlenet", head="bn_inception", device="meta")


@pytest.mark.slow
def test_nothing_is_cut_at_a_page_edge(review):
    assert misplaced(pages(review.render("pdf"))) == []


@pytest.mark.slow
def test_a_printed_page_cuts_nothing(browser, review, tmp_path):
    out, printed = tmp_path / "r.html", tmp_path / "r.pdf"
    review.save(out)
    opened = browser.new_page()
    opened.goto(out.as_uri())
    opened.pdf(path=printed, format="A4", prefer_css_page_size=True)
    opened.close()
    found = pages(printed.read_bytes())
    shapes = {(round(page.width), round(page.height)) for page in found}
    assert len(shapes) == 2 and {w > h for w, h in shapes} == {
        True,
        False,
    }  # wide tables on turned pages
    assert [t for t in misplaced(found) if isinstance(t, str)] == []


@pytest.mark.parametrize("rows", slow_but((71, 74), range(70, 75)))
def test_a_printed_table_never_leaves_one_row_on_a_page(browser, rows, tmp_path):
    """Some of these tables end a row or two below the page; two more rows go with them."""
    pypdf = pytest.importorskip("pypdf")
    css = resources.files("costlab.render").joinpath("assets", "report.css").read_text()
    body = "".join(f"<tr><td>row{i}</td></tr>" for i in range(rows))
    opened, printed = browser.new_page(), tmp_path / "t.pdf"
    opened.set_content(f"<style>{css}</style><div class=table><table>{body}</table></div>")
    opened.pdf(path=printed, format="A4", prefer_css_page_size=True)
    opened.close()
    counts = [page.extract_text().count("row") for page in pypdf.PdfReader(printed).pages]
    assert sum(counts) == rows and min(counts) >= 3


# ---- our own reports


NOTHING = re.compile(r"(No|Not|None|Nothing|There (is|are|was|were) no|\w+ has no)\b")


def sections_without_content(text):
    """Ids of the sections that have no table, picture, list or figure, and only say that there is
    nothing; of those without any word too."""
    found = re.findall(r'<section id="section-([^"]+)"><h2>.*?</h2>(.*?)</section>', text, re.S)
    assert found
    paragraphs = {name: re.findall(r"<p>(.*?)</p>", body, re.S) for name, body in found}
    return [
        name
        for name, body in found
        if not re.search("<(table|figure|ul|ol|h3|div class=.numbers)", body)
        and all(map(NOTHING.match, paragraphs[name]))
    ]


@pytest.mark.parametrize(
    "model, shape",
    [
        (lambda: nn.Linear(4, 3), (1, 4)),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 5)), (1, 3, 16, 16)),
        (lambda: nn.LSTM(4, 6, batch_first=True), (1, 9, 4)),
    ],
    ids=["linear", "convolutions", "lstm"],
)
def test_no_section_of_a_report_on_a_users_model_says_only_that_there_is_nothing(model, shape):
    made = costlab.report(costlab.trace(model(), torch.empty(shape)))
    assert sections_without_content(html_page(made.document)) == []


def test_what_says_only_that_there_is_nothing_is_found():
    empty = Section("a", "A", (Text("There are no published figures."), Text("Not measured.")))
    said = Section("b", "B", (Text("It has 3 params."),))
    page = html_page(Document("t", "s", (empty, said, Section("c", "C"))))
    assert sections_without_content(page) == ["a", "c"]


def test_the_conventions_name_every_model_that_the_numbers_come_from(tmp_path):
    config = tmp_path / "r.toml"
    config.write_text(
        'models = ["alexnet_single"]\ncomputed = true\n'
        'sections = ["introduction", "conventions", "network-in-network"]\n'
        "[notes]\n"
        """introduction = "{model('vgg11').macs:,} are more than {model('vgg11').params:,}" """
    )
    document = costlab.report(config=config, device="meta").document
    points = next(p for p in document.sections[1].parts[1:] if isinstance(p, Points))
    named = {item.words.split(":")[0] for item in points.items}
    assert named >= {"alexnet_single", "vgg11", "nin"}  # nin is drawn, and what the ledger counts
    assert [s.id for s in document.sections] == [
        "introduction",
        "conventions",
        "network-in-network",
    ]


def test_every_report_of_the_mission_is_there():
    assert {p.stem for p in REPORTS.glob("*.toml")} >= {
        "googlenet",
        "factorization",
        "grid-reduction",
        "inception-v2",
        "alexnet-vs-googlenet",
        "note",
    }


def labels(svg):
    return re.findall(r">([^<>\n]+)</(?:text|tspan)>", svg)


def test_the_drawing_of_googlenet_in_the_docs_is_not_stale(tmp_path):
    """The other pictures of the docs are compared in tests/test_docs.py."""
    out = tmp_path / "p.svg"
    argv = ["diagram", "googlenet", "--style", "paper", "--device", "meta", "-o", str(out)]
    assert main(argv) == 0
    committed = (REPORTS / "googlenet.svg").read_text()
    assert labels(out.read_text()) == labels(committed) and len(labels(committed)) > 10
    page = (REPORTS.parent / "docs" / "commands" / "diagram.md").read_text()
    assert "](../../reports/googlenet.svg)" in page


def test_the_page_on_reports_names_every_section():
    page = (REPORTS.parent / "docs" / "commands" / "report.md").read_text()
    assert f"The sections: {', '.join(report.SECTIONS)}." in " ".join(page.split())


@pytest.mark.slow
def test_measured_traces_beside_the_configuration_are_picked_up(tmp_path):
    from costlab.analysis.factorize import slug
    from costlab.measure import measure

    assert (
        slug("5x5 -> 3x3 + 3x3") == ("5x5", "5x5-as-3x3-3x3")
        and slug("pool, then 3x3 convolution") == ("pool-then-3x3-convolution",) * 2
    )
    folder = tmp_path / "measurements"
    folder.mkdir()
    sides = (
        nn.Conv2d(8, 8, 5, padding=2),
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1)),
    )
    for name, model in zip(slug("5x5 -> 3x3 + 3x3"), sides, strict=False):
        measure(
            model, torch.randn(1, 8, 12, 12), device="cpu", blocks=3, isolate=False, spec=name
        ).save(folder / f"{name}.trace")
    (tmp_path / "r.toml").write_text(
        "models = ['5x5']\nmeasured = 'measurements'\nsections = ['factorization', "
        "'grid-reduction', 'measurements']\n"
    )
    assert (
        main(["report", "--config", str(tmp_path / "r.toml"), "-o", str(tmp_path / "r.html")]) == 0
    )
    text = (tmp_path / "r.html").read_text()
    assert (
        'id="rules-measured"' in text
        and 'id="roofline"' in text
        and "Not measured: how much time these save is not known." in text
    )
    times = re.findall(
        r"<td class=\"n\" data-v=\"([\d.e-]+)\">[\d.,]+</td>",
        text[text.index('id="rules-measured"') :][:3000],
    )
    assert len(times) >= 2 and all(float(t) > 0 for t in times)
