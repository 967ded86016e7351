"""The ledger of the note against the reference file: every verdict, every number."""

import csv
import io
import json
import re

import pytest

from costlab import reference
from costlab.analysis import claims
from costlab.cli import main

LEDGER = claims.run(claims.note_ledger())
REFERENCE = {r["id"]: r for r in reference.load("claims")}
# numbers that the reference file states in words (twice, four times, unchanged), or not at all
IN_WORDS = {"C24", "C25"}
# the reference says 53, which its own parts contradict: 47 without reductions, and 3 + 4 layers in
# the two (49 - 42 = 7)
ELSEWHERE = {("C63", 54), ("C28", 1582671872)}


def test_all_seventy_are_there():
    assert [c.id for c in LEDGER.claims] == [f"C{i:02}" for i in range(1, 71)]


@pytest.mark.parametrize("claim", LEDGER.claims, ids=lambda c: c.id)
def test_the_verdict_is_the_reference_files(claim):
    want = REFERENCE[claim.id]["verdict"]
    assert claim.verdict == ("published only" if want.startswith("published") else want)


@pytest.mark.parametrize(
    "claim", [c for c in LEDGER.claims if c.checks and c.id not in IN_WORDS], ids=lambda c: c.id
)
def test_every_computed_number_is_in_the_reference_file(claim):
    text = " ".join(v for k, v in REFERENCE[claim.id].items() if k != "verdict")
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
    for check in claim.checks:
        for value in check.value if isinstance(check.value, tuple) else (check.value,):
            if isinstance(value, (bool, str)) or (claim.id, value) in ELSEWHERE:
                continue
            assert any(abs(value - n) <= 0.005 * n for n in numbers), (check.expr, value)


def test_most_claims_are_computed():
    computed = [
        c
        for c in LEDGER.claims
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
            "with nothing to hold it against",
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
            "out of all proportion",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"'a' * 10 ** 9\", said = 1 }]",
            "multiplies what is no number",
        ),
        (
            "[[claim]]\nsays = 'x'\nchecks = [{ expr = \"model('nin')\" }]",
            "that is a model and no figure",
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
        ("published = 'no'", "published is true or false, not 'no'"),
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
