"""`reports/note.toml`: the study note is retold whole, and no figure in it is typed."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import costlab
from costlab.analysis import claims
from costlab.analysis.aux import read_probe
from costlab.reference.note import topics
from costlab.report import Config, build
from costlab.report.context import Context, Finder
from costlab.report.sections.note.statements import statements
from test_claims import typed

REPORTS = Path(costlab.__file__).parent.parent / "reports"
PROSE = [
    (file.stem, section, text)
    for file in sorted(REPORTS.glob("*.toml"))
    for section, text in tomllib.loads(file.read_text())["notes"].items()
] + [("topics", topic.section, topic.words) for topic in topics()]
NOTE = tomllib.loads((REPORTS / "note.toml").read_text())


@pytest.mark.parametrize("report, section, text", PROSE)
def test_no_figure_of_a_report_is_typed(report, section, text):
    assert typed(text) == []


@pytest.mark.parametrize("report, section, text", PROSE)
def test_every_expression_takes_its_figure_from_a_trace_or_a_paper(report, section, text):
    found = re.findall(r"\{([^{}]+)\}", text)
    assert [expr for expr in found if not re.search(r"[a-z_]+\(", expr)] == []


@pytest.mark.parametrize("file", sorted(REPORTS.glob("*.toml")), ids=lambda f: f.stem)
def test_reports_with_expressions_have_them_computed(file):
    report = tomllib.loads(file.read_text())
    assert report.get("computed", False) == any("{" in text for text in report["notes"].values())


def test_the_report_has_the_ten_topics_of_the_note_in_its_order():
    """The note's own headings, then its errors."""
    sections = [topic.section for topic in topics()]
    assert sections == [
        "googlenet",
        "network-in-network",
        "pointwise",
        "inception-modules",
        "architecture",
        "to-scale",
        "supervision",
        "small-kernels",
        "smaller-grids",
        "inception-v2",
    ]
    assert NOTE["sections"] == ["introduction", *sections, "corrections", "conventions"]
    assert [topic.number for topic in topics()] == [*range(1, 11)]


def test_every_claim_is_of_one_of_the_topics_which_it_names():
    named = [entry["topic"] for entry in claims.note_ledger()]
    assert [*dict.fromkeys(named)] == [topic.name for topic in topics()]


def topic_of(section):
    return next(topic for topic in topics() if topic.section == section)


def test_what_the_note_says_of_the_probe_is_what_was_recorded():
    """Of the words in the section on auxiliary classifiers."""
    text = " ".join(topic_of("supervision").truth.split())
    probe = read_probe(REPORTS / "cnds8.probe.json")
    others = {result.setting: result for result in probe.beside}
    assert "smallest at the fourth convolution" in text and "for every seed" in text
    assert probe.without.layers[3] == probe.without.lowest
    assert probe.without.lowest.name == probe.head_after
    assert probe.agreeing == len(probe.protocol.seeds)
    assert "the rule puts the classifier at the same place" in text
    assert [result.place and result.place.name for result in (probe, others["sigmoids"])] == [
        None,
        probe.head_after,
    ]
    assert "With batch norm, or with He's initialization, it does not fall" in text
    for name in ("batch norm", "He initialization"):
        assert others[name].place is None and others[name].without.fall < 1.5


def test_a_topic_that_the_ledger_does_not_have_is_named():
    unknown = replace(topic_of("smaller-grids"), name="Grid reductions")
    with pytest.raises(claims.LedgerError, match="did you mean Grid reduction?"):
        statements(Context((), None, "", Finder(costlab.trace)), unknown)


def small(notes, computed):
    config = Config(sections=("introduction",), notes=tuple(notes.items()), computed=computed)
    trace = costlab.trace("nin_cifar10", device="meta")
    (section,) = build(config, [trace], None, "costlab report", costlab.trace).sections
    return section.parts[0].words


def test_notes_are_computed_only_where_that_is_asked_for():
    note = {"introduction": "{model('nin').depth} layers"}
    assert small(note, True) == "12 layers"
    assert small(note, False) == note["introduction"]


@pytest.mark.parametrize("text", ["{modle('nin').depth}", "{model('nin')}", "a { alone"])
def test_a_note_that_cannot_be_computed_names_its_section(text):
    with pytest.raises(ValueError, match="the note of introduction: "):
        small({"introduction": text}, True)


def opening(notes):
    """The first part of a report that has only the section on 1x1 convolutions."""
    config = Config(sections=("pointwise",), notes=tuple(notes.items()))
    trace = costlab.trace("nin_cifar10", device="meta")
    (section,) = build(config, [trace], None, "costlab report", costlab.trace).sections
    return section.parts[0].words


def test_a_topic_opens_with_its_words_unless_the_report_has_a_note_for_it():
    assert opening({"pointwise": "My words."}) == "My words."
    found = opening({})
    assert found.startswith("**The note.** Convolutions of 3x3, 5x5 and 7x7 use the pixels")
    assert "these are 8 weights and 2 biases" in " ".join(found.split())
