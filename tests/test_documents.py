"""Files that people and other programs write: each is read whole, or refused in one line that names
the file and what is wrong with it."""

import contextlib
import json
import time

import pytest
from selection import slow_but

from costlab import _documents
from costlab.analysis.claims.errors import LedgerError
from costlab.analysis.claims.expressions import evaluate
from costlab.analysis.limits.expression import LimitError, parse
from costlab.cli import main

LEDGER = """
[[claim]]
id = "one"
says = "two and two are four"
checks = [{ expr = "2 + 2", said = 4 }]
"""
YAML_LEDGER = """
- id: one
  says: two and two are four
  checks: [{expr: "2 + 2", said: 4}]
"""
REPORT = 'title = "A report"\nmodels = ["nin"]\nsections = ["table"]\n'
PROJECT = (
    '[tool.costlab]\n[[tool.costlab.model]]\nname = "nin"\nmodel = "nin"\nlimits = ["macs <= 2G"]\n'
)
PRINTED = "type,params,ops\nconvolution,2.7K,34M\n"
TRANSFORMERS = json.dumps({"model_type": "vit", "num_hidden_layers": 1})
DIFFUSERS = json.dumps({"_class_name": "UNet2DModel", "sample_size": 32})
JOURNAL = json.dumps({"configuration": {"batch": 1}, "result": {}, "reason": ""}) + "\n"


def check_beside(path):
    """The command that reads a lock file."""
    project = path.with_name("pyproject.toml")
    project.write_text(PROJECT)
    return ["check", str(project)]


# of each format a file that is read, its name, and the command that reads it
FORMATS = {
    "ledger": ("mine.toml", LEDGER, lambda p: ["claims", "--ledger", str(p)]),
    "yaml ledger": ("mine.yaml", YAML_LEDGER, lambda p: ["claims", "--ledger", str(p)]),
    "report": ("r.toml", REPORT, lambda p: ["report", "--config", str(p), "-o", f"{p}.html"]),
    "project": ("pyproject.toml", PROJECT, lambda p: ["check", str(p)]),
    "lock": ("costlab.lock", "version = 1\n", check_beside),
    "printed": ("mine.csv", PRINTED, lambda p: ["audit", "googlenet", "--against", str(p)]),
    "transformers": ("config.json", TRANSFORMERS, lambda p: ["table", f"transformers:{p}"]),
    "diffusers": ("unet.json", DIFFUSERS, lambda p: ["table", f"diffusers:{p}"]),
    "journal": (
        "j.jsonl",
        JOURNAL,
        lambda p: ["sweep", "nin", "--over", "batch=1", "--journal", str(p)],
    ),
}
TOML, JSON = ("ledger", "report", "project", "lock"), ("transformers", "diffusers")
TEXTS = (*TOML, *JSON, "yaml ledger", "printed", "journal")
# what stands in a file, and what the line says of it, by the formats that it is no file of
DAMAGES = {
    "binary": (b"\x80\xff\xfe\x00" * 8, {**dict.fromkeys(TEXTS, "not UTF-8 text")}),
    "the second line is no text": (b"a\n\xff", dict.fromkeys((*TOML, *JSON), "text (line 2)")),
    "a NUL": (b"a\0b", {**dict.fromkeys((*TOML, *JSON, "yaml ledger", "printed", "journal"), "")}),
    "empty": (
        b"",
        {"ledger": "has no claims", "yaml ledger": "has no claims"}
        | {"project": "no table [tool.costlab]", "printed": "has no table"}
        | dict.fromkeys(JSON, "Expecting value at line 1"),
    ),
    "cut short": (b'a = [1, "x', dict.fromkeys(TOML, "Unterminated string (at line 1, the end)")),
    "cut short after the first line": (
        b'{\n"a": ',
        dict.fromkeys(JSON, "Expecting value at line 2") | {"yaml ledger": ", line 2: "},
    ),
    "another type": (
        b"a = 1",
        {"ledger": "has no claims", "report": "unknown key 'a'"}
        | {"project": "no table [tool.costlab]", "lock": "has version None"},
    ),
    "a list": (
        b"[1, 2]",
        dict.fromkeys(JSON, "config.json")
        | {"yaml ledger": "has no claims", "journal": "line 1: "},
    ),
    "a number": (b"5", dict.fromkeys(JSON, "config.json") | {"journal": "line 1: "}),
    "digits": (b"a = " + b"9" * 5000, dict.fromkeys(TOML, "4300 digits")),
    "digits in JSON": (
        b"9" * 5000,
        dict.fromkeys(JSON, "4300 digits")
        | {"yaml ledger": "4300 digits", "journal": "j.jsonl, line 1: "},
    ),
    "nesting": (b"a = " + b"[" * 20_000, dict.fromkeys(TOML, "values are nested too deep")),
    "nesting in JSON": (
        b'{"a": ' * 20_000,
        dict.fromkeys(JSON, "values are nested too deep")
        | {"yaml ledger": "nested too deep", "journal": "j.jsonl, line 1: "},
    ),
    "a key in parts": (
        b".".join([b"a"] * 20_000) + b" = 1",
        dict.fromkeys(TOML, "line 1: a key has more than 200 parts"),
    ),
    "an escape": (b'"\x1b[31m" = 1', dict.fromkeys(TOML, r"Illegal character '\x1b'")),
    "an object": (
        b"!!python/object/apply:os.system ['touch ran']",
        {"yaml ledger": "line 1: could not determine a constructor"},
    ),
    "a date that is none": (b"2024-99-99", {"yaml ledger": "month must be in 1..12"}),
    "more cells": (
        b"type,params,ops\nconvolution,2.7K,34M\npool,1,2,3\n",
        {"printed": "row 2: it has 4 cells, and the header 3"},
    ),
    "a cell of 200 kB": (b"type,ops\na," + b"x" * 200_000, {"printed": "row 1: field larger than"}),
}
CASES = [(d, f) for d, (_, says) in DAMAGES.items() for f in says]
PACKAGES = {"transformers": "transformers", "diffusers": "diffusers", "yaml ledger": "yaml"}


def refused(argv, capsys, path):
    """The line that a command ends with."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and err.startswith("costlab: ") and len(err) < 500
    assert err[:-1].isprintable() and path.name in err
    return err


@pytest.mark.parametrize("damage, format", CASES)
def test_a_damaged_file_is_one_line(damage, format, tmp_path, capsys, monkeypatch):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format])
    monkeypatch.chdir(tmp_path)
    data, says = DAMAGES[damage]
    name, _, command = FORMATS[format]
    path = tmp_path / name
    argv = command(path)
    path.write_bytes(data)
    assert says[format] in refused(argv, capsys, path)
    assert path.read_bytes() == data and not (tmp_path / "ran").exists()


@pytest.mark.parametrize("format", slow_but({*FORMATS} - {"diffusers"}, FORMATS))
def test_a_file_without_damage_is_read(format, tmp_path, capsys, monkeypatch):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format])
    monkeypatch.chdir(tmp_path)
    name, text, command = FORMATS[format]
    path = tmp_path / name
    argv = command(path)
    path.write_text(text)
    assert main(argv) == 0, capsys.readouterr().err


@pytest.mark.parametrize("format", FORMATS)
def test_a_large_file_is_refused_before_it_is_read(format, tmp_path, capsys, monkeypatch):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format])
    if format == "journal":
        pytest.skip("a journal has no limit: it grows for days")
    monkeypatch.setattr(_documents, "MOST_BYTES", 2**20)
    name, _, command = FORMATS[format]
    path = tmp_path / name
    argv = command(path)
    path.write_bytes(b"#" * (2**20 + 1))
    if format == "lock":
        path.with_name("pyproject.toml").write_text(PROJECT)
    assert "it holds more than 1 MiB" in refused(argv, capsys, path)


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in ("lock", "journal")])
def test_a_folder_and_no_file(format, tmp_path, capsys):
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format])
    name, _, command = FORMATS[format]
    path = tmp_path / name
    assert refused(command(path), capsys, path)
    path.mkdir()
    assert refused(command(path), capsys, path)


# a value of a ledger, and what the line says of it
VALUES = {
    "id: [1]": "claim 1: id is text, not [1]",
    "5: x": "claim one: unknown key 5",
    "says: 5": "claim one: says is text, not 5",
    "published: 5": "claim one: published must be true or false, not 5",
    "checks: 5": "claim one: checks is a list of tables",
    "checks: [5]": "claim one: a check is a table with an 'expr'",
    "checks: [{expr: 5}]": "claim one: a check is a table with an 'expr'",
    "checks: [{expr: '1', said: {a: 1}}]": "said is a number, a text or a list of these, not {'a'",
    "checks: [{expr: '1', said: [[1]]}]": "said is a number, a text or a list of these, not [[",
    "checks: [{expr: '1', said: .nan}]": "said is a number, a text or a list of these, not nan",
    "checks: [{expr: '1', said: 2024-01-01}]": "said is a number, a text or a list of these, not d",
    "checks: [{expr: '1', tolerance: .inf}]": "tolerance is a share such as 0.01, not inf",
    "checks: [{expr: '1', note: 5}]": "note is text, not 5",
    "checks: [{expr: '1', [1]: 5}]": "line 3: found unhashable key",
    # ten lists of ten, nine times in one another: a billion when they are written out
    "checks: [{expr: '1', said: *b9}]": "said is a number, a text or a list of these, not [[",
}


@pytest.mark.parametrize("value", VALUES)
def test_a_value_of_a_ledger(value, tmp_path, capsys):
    pytest.importorskip("yaml")
    bomb = [f"x{i}: &b{i} [{', '.join([f'*b{i - 1}' if i else '1'] * 10)}]" for i in range(10)]
    key = value.partition(":")[0]
    rest = [t for t in ("id: one", "says: a") if not t.startswith(f"{key}:")]
    claim = "\n  ".join([*rest, value])
    text = f"{{{', '.join(bomb)}}}\n" if "*b9" in value else "{}\n"
    path = tmp_path / "mine.yaml"
    # the anchors stand in a document's key that no ledger has
    path.write_text(f"other: {text}claim:\n- {claim}\n" if "*b9" in value else f"- {claim}\n")
    assert main(["claims", "--ledger", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and len(err) < 500
    assert VALUES[value] in err


_CODE = "runs code that is not beside the ledger"
# expressions that would take all the memory or time there is, or run code; what the line says
EXPRESSIONS = {
    "round(123, -10**9)": "-1000000000 digits are too many",
    "9**9**9": "9 to the power 387420489 is too large",
    "10**50 * 10**51": "is beyond 1e+100",
    "1e308 * 10": "is beyond 1e+100",
    "9" * 1900: "is beyond 1e+100",
    "0x" + "f" * 1900: "is beyond 1e+100",
    "'%999999999s' % 'a'": "computes with something that is not a number",
    "(0,) * 10**9": "computes with something that is not a number",
    "1j": "is not a real number",
    "(-1) ** 0.5": "is not a real number",
    "b'a'": "is not allowed",
    "-" * 100_000 + "1": "has more than 2,000 characters",
    "-" * 1900 + "1": "fails: RecursionError",
    "(" * 900 + "1" + ")" * 900: "too many nested parentheses",
    "[" * 150: "was never closed",
    "model('subprocess:getoutput', cmd='touch ran').macs": _CODE,
    "model('os:system').macs": _CODE,
    "model('../net.py:build').macs": _CODE,
    "model('link.py:build').macs": _CODE,
    "module('nn', input=(1, 3, 8, 8)).macs": "no building block 'nn'",
    "slope('load', 1)": "no activation 'load'",
}


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda e: e[:40])
def test_an_expression_has_limits(expression, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "ledgers"
    folder.mkdir()
    monkeypatch.chdir(folder)
    outside = "import pathlib\npathlib.Path('ran').touch()\n"
    (tmp_path / "net.py").write_text(outside)
    (folder / "link.py").symlink_to(tmp_path / "net.py")
    path = folder / "mine.toml"
    path.write_text(
        f"[[claim]]\nsays = 'x'\nchecks = [{{ expr = {json.dumps(expression)}, said = 1 }}]"
    )
    assert main(["claims", "--ledger", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and EXPRESSIONS[expression] in err
    assert not (folder / "ran").exists() and not (tmp_path / "ran").exists()


# the longest of each kind that are accepted
WORST = {
    "calls in calls": "abs(" * 150 + "1" + ")" * 150,
    "many calls": "+".join(["abs(1)"] * 280),
    "calls of many": "sum((" + ",".join(["len((1,1,1,1))"] * 110) + "))",
    "comparisons": "<".join(["1+1"] * 490),
    "comparisons in each other": "(" * 60 + "1" + "+1<2)" * 60,
    "powers": "+".join(["9**64"] * 300),
    "whole quotients": "+".join(["10**64//7**32"] * 140),
    "texts": "+".join(["('a' in 'aaaaaaaaaaaaa')"] * 70),
    "published": "+".join(["published('GoogLeNet','x','y')"] * 60),
    "models": "+".join(f"model('nin',{size}).macs" for size in range(200, 220)),
}


@pytest.mark.parametrize("name", WORST)
def test_an_accepted_expression_ends_soon(name):
    """In a tenth of a second, and in half of one with the 20 models that it may have; on a busy
    machine in ten times that."""
    begin = time.process_time()
    with contextlib.suppress(LedgerError):
        evaluate(WORST[name])
    assert time.process_time() - begin < (5 if name == "models" else 1)


def test_an_expression_runs_some_models_at_most():
    several = "+".join(["convs((1, 1, 1), size=1).macs"] * 20)
    assert evaluate(several).value == 20
    with pytest.raises(LedgerError, match="more than 20 models and blocks in one expression"):
        evaluate(f"{several} + slope('sigmoid', 1)")


def test_a_limit_of_a_budget_has_a_length():
    parse("macs <= " + " " * 490 + "2G")
    begin = time.process_time()
    with pytest.raises(LimitError, match="has more than 500 characters; write for example"):
        parse("macs <= " + " " * 100_000 + "2G!")
    assert time.process_time() - begin < 1


def test_a_figure_of_many_digits(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text("[[claim]]\nsays = 'x'\nfinding = '{1 / 3:.999999999f}'\n")
    assert main(["claims", "--ledger", str(path)]) == 2
    assert "cannot read '1 / 3:.999999999f'" in capsys.readouterr().err


def test_a_factory_beside_the_ledger(tmp_path, monkeypatch):
    """A convolution without a bias: 3 x 8 x 3 x 3 = 216 params."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    code = "from torch import nn\n\ndef build():\n    return nn.Conv2d(3, 8, 3, bias=False)\n"
    (tmp_path / "nets" / "small.py").write_text(code)
    (tmp_path / "mine.toml").write_text(
        "[[claim]]\nsays = 'x'\n"
        "checks = [{ expr = \"model('nets/small.py:build', size=8).params\", said = 216 }]\n"
    )
    assert main(["claims", "--ledger", "mine.toml", "--check"]) == 0
