"""The ledger of the note against the reference file: every verdict, every number."""

import csv
import io
import json
import math
import re
from functools import cache
from pathlib import Path

import pytest

from costlab.analysis import claims
from costlab.analysis.claims.ledger import validate
from costlab.analysis.claims.prose import fill
from costlab.analysis.grid import grid
from costlab.cli import main

ENTRIES = validate(claims.note_ledger())
with open(Path(__file__).parent / "data/note_claims.csv", encoding="utf-8") as recount:
    REFERENCE = {r["id"]: r for r in csv.DictReader(recount)}
# numbers that the reference file states in words (twice, four times, unchanged), or not at all
IN_WORDS = {"C24", "C25"}
ELSEWHERE = {("C28", 1582671872)}


@cache
def ledger():
    """The note's, run once by the process that has these tests."""
    return claims.run(claims.note_ledger())


@cache
def claims_by_id():
    return {c.id: c for c in ledger().claims}


def test_all_claims_are_there():
    assert sorted(claims_by_id()) == [f"C{i:02}" for i in range(1, 85)]
    assert set(REFERENCE) == {f"C{i:02}" for i in range(1, 71)}


@pytest.mark.parametrize("ident", REFERENCE)
def test_the_verdict_is_the_reference_files(ident):
    want = REFERENCE[ident]["verdict"]
    assert claims_by_id()[ident].verdict == (
        "published only" if want.startswith("published") else want
    )


@pytest.mark.parametrize(
    "ident",
    [
        e.id
        for e in ENTRIES
        if (e.checks or e.readings) and e.id in REFERENCE and e.id not in IN_WORDS
    ],
)
def test_every_computed_number_is_in_the_reference_file(ident):
    claim = claims_by_id()[ident]
    text = " ".join(v for k, v in REFERENCE[claim.id].items() if k != "verdict")
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
    for check in claim.checks:
        for value in check.value if isinstance(check.value, tuple) else (check.value,):
            if isinstance(value, (bool, str)) or (claim.id, value) in ELSEWHERE:
                continue
            assert any(abs(value - n) <= 0.005 * n for n in numbers), (check.expr, value)


@pytest.mark.parametrize(
    "ident, verdict, values",
    [
        # a block is a convolution and two cccp layers; AlexNet has five convolutions
        ("C71", "published only", [3, 5 / 5]),
        ("C72", "published only", [0, True]),
        ("C73", "published only", []),
        # a stem of three and nine modules of six; 1x1 are one there, and four in a module
        ("C74", "reproduced", [3 + 9 * 6, 1 + 9 * 4, True]),
        ("C75", "reproduced", [1, 3, 5]),
        ("C76", "reproduced", [0.25, True, True]),
        ("C77", "reproduced", [True, True, True]),
        ("C78", "published only", []),
        ("C79", "published only", []),
        ("C80", "published only", []),
        ("C81", "approximately", [False, True]),  # padded, (35 + 2 - 3) // stride + 1: 35 and 18
        ("C82", "contradicted", [False]),
        ("C83", "reproduced", [True, True, True]),  # 22 > 8 layers, 1,024 > 256 maps, 9 modules
        ("C84", "published only", []),
    ],
)
def test_claims_beyond_the_reference_file(ident, verdict, values):
    assert (claims_by_id()[ident].verdict, [k.value for k in claims_by_id()[ident].checks]) == (
        verdict,
        values,
    )


# with s the sigmoid: s' = s (1 - s); the loss (s - 1)^2 has the slope 2 (s - 1) s', and -log s has
# s - 1
S = 1 / (1 + math.exp(5))


@pytest.mark.parametrize(
    "expr, value",
    [
        ("slope('sigmoid', -5)", S * (1 - S)),
        ("slope('tanh', 0)", 1),
        ("slope('relu', -5)", 0),
        ("output_gradient('squared', -5)", 2 * (S - 1) * S * (1 - S)),
        ("output_gradient('cross-entropy', -5)", S - 1),
        # 17 x 17 places of a 3x3 from 320 maps, to 640 after the pool, or to 320 beside it
        ("reduction('first').macs", 17 * 17 * 9 * 320 * 640),
        ("reduction('beside').macs", 17 * 17 * 9 * 320 * 320),
        # of Table 1 of Going Deeper, as the audit of it has them
        ("printed_cells('googlenet', 'params')", 12),
        ("printed_cells('googlenet', 'params', 'accounted')", 5),
        ("printed_cells('googlenet', 'params', 'weak evidence')", 1),
        ("printed_cells('googlenet', 'params', 'not explained')", 6),
        ("printed_cells('googlenet', 'ops', 'accounted')", 11),
    ],
)
def test_functions_of_the_ledger(expr, value):
    assert claims.evaluate(expr).value == pytest.approx(value, rel=1e-12)


def test_an_unknown_verdict_of_an_audit_is_named():
    with pytest.raises(claims.LedgerError, match="no verdict 'explaned'; there are accounted, "):
        claims.evaluate("printed_cells('googlenet', 'ops', 'explaned')")


PROSE = [
    (entry.id, text)
    for entry in ENTRIES
    for text in (
        entry.finding,
        entry.assumption,
        *(check.note for check in (*entry.checks, *entry.readings)),
    )
    if text
]
NOT_A_FIGURE = re.compile(
    r"""\{[^{}]*\}                  # computed
    | “[^”]*”                       # quoted from the note or the paper
    | \b(?:\d+|n)x(?:\d+|n)(?:x\d+)*(?:/\d)?\b # a kernel or a grid
    | \b(?:bfloat|float)\d+\b      # a dtype
    | \b(?:Figure|Table|Section)\ \d+
    | \b\d[a-e]\b                   # a module: 3a
    | \b(?:VGG|ResNet|CNDS|[Tt]op)-\d+\b | \bcnds8\b | \bX4\b
    | \b[Ii]nception[-_]v\d(?:_as_drawn)?\b | \bv\d\b""",
    re.X,
)


def typed(text):
    """The figures that are typed in a text."""
    return re.findall(r"\d+(?:[.,]\d+)*", NOT_A_FIGURE.sub("", text))


@pytest.mark.parametrize("ident, text", PROSE)
def test_no_figure_is_typed(ident, text):
    assert typed(text) == [], ident


@pytest.mark.parametrize(
    "text, figures",
    [
        ("with the drawn Fig.10 branches it is 1.78x", ["10", "1.78"]),
        ("53 layers, not “42”", ["53"]),
        ("{0:.1f} times a 3x3 of VGG-16 in Table 1, as 1xn and nx1", []),
        ("28% of 7,595,176", ["28", "7,595,176"]),
    ],
)
def test_typed_figures_are_found(text, figures):
    assert typed(text) == figures


def test_every_claim_is_put_into_words():
    assert [c.id for c in ledger().claims if not (c.entry.finding and c.entry.topic)] == []


def test_the_table_is_a_line_a_claim_in_80_columns_verdict_first(capsys):
    assert main(["claims"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for claim in ledger().claims:
        assert len([x for x in lines if re.match(f"{claim.verdict} +{claim.id}  ", x)]) == 1
    topics = dict.fromkeys(c.entry.topic for c in ledger().claims)
    assert [line for line in lines if line in topics] == list(topics)


def test_prose_says_what_the_commands_say():
    """C45: the ratios of costlab grid --body inception, first, last, beside and as drawn."""
    first, last, _beside, drawn = (s.macs for s in grid(35, 320, 640, body="inception").schemes)
    said = claims_by_id()["C45"].assumption
    assert f"costs {drawn / first:.2f} times pooling first" in said
    assert f"{last / drawn:.2f} times less than pooling last" in said


@pytest.mark.parametrize(
    "text, filled",
    [
        ("{0} maps, {1:.1f}%", "1,582,671,872 maps, 28.6%"),
        ("{0:short}", "1.58G"),
        ("{6 / 2}", "3"),
        ("{model('nin').kind('conv').count:,} layers", "12 layers"),
        ("nothing to compute", "nothing to compute"),
    ],
)
def test_figures_of_prose_are_computed(text, filled):
    assert fill(text, [1582671872, 28.58]) == filled


@pytest.mark.parametrize(
    "text, line",
    [
        ("{2} times", "there is no check 2; the first is 0 (in '{2} times')"),
        ("{modle('nin').macs}", "unknown name 'modle'"),
        ("{model('nin')}", "that is a model, not a figure"),
        ("{0", "unmatched brace in '{0'; write a figure as {expression}"),
        ("{1:d}", "Unknown format code 'd'"),
    ],
)
def test_prose_that_cannot_be_computed_is_one_line(text, line):
    entry = {
        "id": "a",
        "says": "x",
        "finding": text,
        "checks": [{"expr": "5 / 2", "said": 2.5}] * 2,
    }
    with pytest.raises(claims.LedgerError) as error:
        claims.run([entry])
    assert str(error.value).startswith("claim a: ") and line in str(error.value)


def test_most_claims_are_computed():
    computed = [
        c
        for c in ledger().claims
        if any("model(" in k.expr or "module(" in k.expr or "convs(" in k.expr for k in c.checks)
    ]
    assert len(computed) >= 56


def test_one_claim_is_explained_with_its_working(capsys):
    assert main(["claims", "C13"]) == 0
    out = capsys.readouterr().out
    assert (
        "C13: contradicted" in out
        and "model('alexnet').macs = 724,406,816" in out
        and "= 2.185" in out
    )


TOML = """
[[claim]]
id = "budget"
says = "our net is at most half of ResNet-18"
checks = [{ expr = "model('nin').macs <= model('resnet18').macs / 2" }]
[[claim]]
says = "it has 8 million params"
checks = [{ expr = "model('nin').params", said = 8e6, tolerance = 0.01 }]
"""
YAML = """
claim:
  - id: budget
    says: our net is at most half of ResNet-18
    checks: [{expr: "model('nin').macs <= model('resnet18').macs / 2"}]
  - says: it has 8 million params
    checks: [{expr: "model('nin').params", said: 8.0e+6, tolerance: 0.01}]
"""


@pytest.mark.parametrize("name, text", [("mine.toml", TOML), ("mine.yaml", YAML)])
def test_a_ledger_of_your_own(tmp_path, capsys, name, text):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    file = tmp_path / name
    file.write_text(text)
    assert main(["claims", "--ledger", str(file), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    # 8 million is 5% off, and the ledger allows 1%
    assert [r["verdict"] for r in rows] == ["contradicted", "contradicted"] and rows[1][
        "computed now"
    ] == "7,595,176"
    assert main(["claims", "--ledger", str(file), "--check"]) == 1


def test_a_ledger_takes_any_model(tmp_path, capsys):
    (tmp_path / "net.py").write_text(
        "from torch import nn\nbuild = lambda width=4: nn.Conv2d(3, width, 3, bias=False)\n"
    )
    net = f"{tmp_path}/net.py:build"
    ratio = f"model('{net}', size=8, width=8).macs / model('{net}', size=8).macs"
    file = tmp_path / "mine.toml"
    file.write_text(f"""[[claim]]
says = "twice the width is twice the MACs"
checks = [{{ expr = "{ratio}", said = 2 }}]
""")
    assert (
        main(["claims", "--ledger", str(file), "--check"]) == 0
        and "reproduced" in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "text, line",
    [
        ("claim = 3", "has no claims"),
        ("[[claim]\n", "mine.toml: "),
        ("[[claim]]\nid = 'a'\n", "claim a: it says nothing"),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"modle('nin').macs\" }]",
            "unknown name 'modle'",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin').mcas\" }]",
            "unknown figure 'mcas'",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"__import__('os').system('true')\" }]",
            "unknown name '__import__'",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin').__class__\" }]",
            "unknown figure '__class__'",
        ),
        ("[[claim]]\nsays = 'x'\nchecks = [{ expr = \"(lambda: 1)()\" }]", "is not allowed"),
        ("[[claim]]\nsays = 'x'\nchecks = [{ expr = \"1 +\" }]", "cannot read '1 +'"),
        ("[[claim]]\nsays = 'x'\ncheck = []", "unknown key 'check'"),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin').macs\", sais = 5 }]",
            "unknown key 'sais' in a check; did you mean said?",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin').macs\" }]",
            "with nothing to compare it with",
        ),
        ("[[claim]]\nsays = 'x'\nchecks = 5", "checks is a list of tables"),
        (
            "[[claim]]\nsays = 'x'\n"
            "checks = [{ expr = \"model('googlenet', size=8).macs\", said = 1 }]",
            "fails: TraceError: the model failed in pool3",
        ),
        (
            "[[claim]]\nsays = 'x'\n"
            'checks = [{ expr = "convs((64, 64, 3), size=-28).macs", said = 1 }]',
            "fails: RuntimeError",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"9**9**9\", said = 1 }]",
            "is too large to compute",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"'a' * 10 ** 9\", said = 1 }]",
            "computes with something that is not a number",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin')\" }]",
            "that is a model, not a figure",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin').macs\", said = 'many' }]",
            "cannot compare a number with 'many'",
        ),
    ],
)
def test_a_bad_ledger_is_one_line(tmp_path, capsys, text, line):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    assert main(["claims", "--ledger", str(file)]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_an_unknown_claim_is_one_line(capsys):
    assert main(["claims", "C99"]) == 2 and "no claim 'C99'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "said, verdict",
    [
        ("25.6e6", "reproduced"),
        ("25.56M", "reproduced"),
        ("25,557,032", "reproduced"),
        ("27.5M", "contradicted"),
    ],
)
def test_numbers_written_as_text_are_numbers(said, verdict):
    """YAML 1.1 reads 25.6e6 as text."""
    entry = {
        "says": "x",
        "checks": [{"expr": "model('resnet50').params", "said": said, "tolerance": 0.01}],
    }
    assert claims.run([entry]).claims[0].verdict == verdict


@pytest.mark.parametrize(
    "checks, verdict, code",
    [
        ("[{ expr = '5 < 1' }, { expr = '2 > 1' }]", "contradicted", 1),
        ("[{ expr = '3 > 1' }, { expr = '2 > 1' }]", "reproduced", 0),
        (
            "[{ expr = '7 / 2', said = 3.4, tolerance = 0.05 }, { expr = '2 > 3' }]",
            "contradicted",
            1,
        ),
    ],
)
def test_one_failing_check_breaks_a_budget(tmp_path, capsys, checks, verdict, code):
    file = tmp_path / "l.toml"
    file.write_text(f"[[claim]]\nid = 'budget'\nsays = 'x'\nchecks = {checks}\n")
    assert main(["claims", "--ledger", str(file), "--check", "--format", "json"]) == code
    assert json.loads(capsys.readouterr().out)["rows"][0]["verdict"] == verdict


@pytest.mark.parametrize(
    "entry, line",
    [
        (
            "checks = [{ expr = '1', said = 1, tolerance = '1%' }]",
            "tolerance is a share such as 0.01, not '1%'",
        ),
        ("checks = [{ expr = '1', said = 1, about = -1 }]", "about is a share"),
        ("published = 'no'", "published must be true or false, not 'no'"),
        ("finding = 3", "finding is text, not 3"),
        ("[[claim]]\nid = 'a'\nsays = 'y'", "claim a: two claims have this id"),
    ],
)
def test_options_of_a_ledger_are_checked(tmp_path, capsys, entry, line):
    file = tmp_path / "l.toml"
    file.write_text(f"[[claim]]\nid = 'a'\nsays = 'x'\n{entry}\n")
    assert main(["claims", "--ledger", str(file)]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_rows_of_any_style_and_what_a_comparison_compared(tmp_path, capsys):
    file = tmp_path / "l.toml"
    file.write_text(
        "[[claim]]\nid = 'a'\nsays = 'x'\nchecks = [{ expr = "
        "\"model('resnet18').row('conv1.0').macs <= model('nin_cifar10').macs / 2\" }]\n"
    )
    assert main(["claims", "--ledger", str(file), "--check", "--format", "json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["computed now"] == "118,013,952 <= 1.112e+08" and row["verdict"] == "contradicted"
    file.write_text(file.read_text().replace("conv1.0", "conv9"))
    assert (
        main(["claims", "--ledger", str(file)]) == 2
        and "no row 'conv9'; did you mean" in capsys.readouterr().err
    )


def test_an_id_may_be_in_lower_case(capsys):
    assert main(["claims", "c13"]) == 0
    lower = capsys.readouterr().out
    assert main(["claims", "C13"]) == 0
    assert lower == capsys.readouterr().out and lower.startswith("C13: contradicted\n")


def test_two_ids_that_differ_in_case_are_two_claims():
    entries = [{"id": "a", "says": "small"}, {"id": "A", "says": "large"}]
    assert [e.says for e in validate(entries, ["A"])] == ["large"]
    assert [e.says for e in validate(entries, ["a"])] == ["small"]
