"""`costlab study`: of each topic the words, claims, table and picture, and what comes next."""

import json
import re
import shlex
from functools import cache

import pytest
from selection import slow_but

import costlab
from costlab.api._shown import SHOWN
from costlab.cli import main
from costlab.cli._parser import parsers
from costlab.reference.note import topics
from costlab.render import plain, terminal
from pages import DOCS

TOPICS = pytest.mark.parametrize("topic", topics(), ids=lambda t: t.section)
# a chart and no table, a chart and a table, a diagram and a table
QUICK = {"pointwise", "small-kernels", "smaller-grids"}


lesson = cache(costlab.study)


def run(capsys, *words):
    """The exit code, what is printed, and the errors."""
    code = main(["study", *words])
    return code, *capsys.readouterr()


def test_the_list_has_the_ten_topics_in_80_columns(capsys):
    terminal(costlab.study().sheet, width=80)
    shown = capsys.readouterr().out
    assert "shortened" not in shown and "not shown" not in shown
    assert [int(n) for n in re.findall(r"^ *(\d+)  ", shown, re.M)] == [*range(1, 11)]
    assert all(topic.question in shown for topic in topics())


def test_the_list_counts_every_claim():
    counts = {row["topic"]: row["claims"] for row in costlab.study().sheet.rows}
    assert sum(counts.values()) == len(costlab.claims().claims)
    assert counts["Grid reduction"] == 8 and counts["GoogLeNet"] == 2  # C81, C41 to C47; C83, C84


@pytest.mark.parametrize(
    "topic",
    slow_but([t for t in topics() if t.section != "supervision"], topics()),
    ids=lambda t: t.section,
)
def test_a_topic_says_what_is_said_what_is_true_and_what_to_do_next(topic):
    found = lesson(topic.number)
    shown = str(found)
    for heading in ("What the note says", "What is true", "Claim by claim", "The table", "Next"):
        assert len(re.findall(f"^{heading}$", shown, re.M)) == 1
    assert shown.startswith(f"{topic.number}. {topic.name}\n{topic.question}\n")
    for claim in found.claims.claims:
        assert claim.entry.topic == topic.name
        assert re.search(rf"^{claim.id} +{re.escape(claim.finding)}$", shown, re.M)
    assert plain(found.shown.sheet) in shown
    following = f"costlab study {topic.number + 1}" in shown
    assert following == (topic.number < len(topics()))
    assert "{" not in found.says + found.truth and "**" not in shown
    words = shown[: shown.index("Claim by claim")] + shown[shown.index("The picture") :]
    assert max(map(len, words.splitlines())) <= 80


@pytest.mark.parametrize(
    "topic",
    slow_but([t for t in topics() if t.section in QUICK], topics()),
    ids=lambda t: t.section,
)
def test_the_table_and_the_picture_are_those_of_the_commands(topic, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found, how = lesson(topic.number), SHOWN[topic.section]
    if how.table_command:
        assert main(shlex.split(how.table_command)[1:]) == 0
        assert capsys.readouterr().out == plain(found.shown.sheet)
    assert main(shlex.split(how.picture_command)[1:]) == 0
    drawn = tmp_path / how.picture_command.split()[-1]
    assert drawn.read_bytes() == found.render("svg")
    if not how.table_command:  # the numbers lie beside the chart
        assert drawn.with_suffix(".csv").read_text() == found.shown.render("csv")


@TOPICS
def test_the_next_command_is_one_that_can_be_typed(topic):
    parsers()[0].parse_args(shlex.split(topic.next)[1:])


@TOPICS
def test_the_tutorial_has_a_page_a_topic_that_leads_to_the_next(topic):
    page = (DOCS / "tutorial" / f"{topic.section}.md").read_text()
    assert page.startswith(f"# {topic.number}. {topic.name}\n")
    for following in topics()[topic.number :][:1]:
        assert f"Next: [{following.number}. {following.name}]({following.section}.md)." in page
    contents = (DOCS / "tutorial" / "index.md").read_text()
    assert f"| {topic.number} | [{topic.name}]({topic.section}.md) |" in contents
    assert f"\n*{topic.question}*\n" in page and page.count("![") == 1
    assert f"$ {SHOWN[topic.section].picture_command.rpartition(' ')[0]} " in page
    assert "](../glossary.md#" in page


def test_claims_stand_under_their_verdicts():
    sheet = lesson(9).sheet
    assert [h for h in sheet.headings() if h] == [
        "reproduced",
        "approximately",
        "contradicted",
        "typo",
        "published only",
    ]
    rows = {row["id"]: row for row in sheet.rows}
    assert (rows["C44"]["verdict"], rows["C44"]["finding"]) == ("typo", "640 maps, not “64”")


@pytest.mark.parametrize(
    "words", [["3"], ["1x1", "convolutions"], ["1X1"], ["pointwise"], [" 3 "]], ids=" ".join
)
def test_a_topic_goes_by_number_name_or_part_of_one(words, capsys):
    assert run(capsys, *words)[1].startswith("3. 1x1 convolutions\n")


@pytest.mark.parametrize(
    "words, message",
    [
        ("grid reductoin", "no topic 'grid reductoin'; did you mean grid reduction?"),
        ("11", "no topic '11'; there are 1 to 10"),
        ("0", "no topic '0'; there are 1 to 10"),
        ("conv", "did you mean 1x1 convolutions or Factorized convolutions?"),
        ("", "no topic ''; there are 1 to 10"),
    ],
)
def test_a_topic_that_is_not_there_is_refused(words, message, capsys):
    code, shown, errors = run(capsys, words)
    assert (code, shown, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("costlab: the study note has ") and message in errors


def test_the_picture_is_written_where_a_picture_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "grid", "reduction", "-o", "grids.svg") == (0, "", "")
    assert (tmp_path / "grids.svg").read_bytes() == lesson(9).render("svg")
    assert run(capsys, "3", "-o", "mixing.png")[0] == 0
    assert (tmp_path / "mixing.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "words, message",
    [
        (["-o", "x.svg"], "svg is the picture of a topic: costlab study 3 -o pointwise.svg"),
        (["3", "--format", "png"], "png is not a text format; give a file with -o FILE"),
        (["3", "-o", "x.jpg"], "cannot tell the format of 'x.jpg'"),
    ],
)
def test_a_format_that_it_cannot_have_is_refused(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, errors = run(capsys, *words)
    assert code == 2 and message in errors and not [*tmp_path.iterdir()]


def test_json_has_the_words_the_claims_the_table_and_the_commands(capsys):
    found = json.loads(run(capsys, "3", "--format", "json")[1])
    assert (found["topic"], found["name"]) == (3, "1x1 convolutions")
    assert "8 weights and 2 biases" in " ".join(found["what is true"].split())
    assert [row["id"] for row in found["rows"]] == ["C06", "C07", "C08", "C74", "C73"]
    assert found["table"]["rows"][0]["weights"] == 4 * 2
    assert found["picture command"] == "costlab chart mixing -o mixing.svg"
    assert found["next"][1] == "costlab study 4"


def test_markdown_keeps_the_emphasis_and_has_the_tables(capsys):
    shown = run(capsys, "1x1", "--format", "md")[1]
    assert shown.startswith("# 3. 1x1 convolutions\n\nWhat does a convolution do")
    assert "| C08 | 8 weights and 2 biases, 8 MACs a position |" in shown
    assert "```console\ncostlab chart mixing -o mixing.svg\n```" in shown
    assert "*Rethinking* proposes a third way" in " ".join(lesson(9).render("md").split())


def test_a_page_has_the_picture_and_a_notebook_the_tables():
    found = lesson(3)
    page = str(found.render("html"))
    assert page.count("<svg") == 1 and page.count("<table") == 2
    shown = found._repr_html_()
    assert shown.startswith("<h2>3. 1x1 convolutions</h2>") and shown.count("<table") == 2
    assert found.picture()._repr_svg_().encode() == found.render("svg")


def test_the_working_shown_is_of_the_claim_that_fails():
    assert "costlab claims C12  # how it was checked" in str(lesson(6))
    assert "costlab claims C46  # how it was checked" in str(lesson(9))
