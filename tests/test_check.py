"""`costlab check`: budgets of a repository, with real pyproject files in temporary folders."""

import json
import os
import textwrap
import tomllib
from xml.etree import ElementTree

import pytest

import costlab
from costlab import cli
from costlab.analysis.limits import TraceFigures
from costlab.check.figures import parts_of
from costlab.render.findings import github, junit, sarif
from costlab.tables.findings import Finding, Findings

# 3x3 convolutions of 3 -> 4 -> `middle` on 8x8, then a linear layer to 10:
# params 3*4*9 + 4 = 112, 36 m + m, 640 m + 10; MACs 108*64 = 6,912, 36*64 m, 640 m
NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, middle):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, middle, 3, padding=1)
        )
        self.head = nn.Linear(middle * 64, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))

def build(middle=4):
    return Net(middle)

def broken():
    raise RuntimeError("no such <width> & 100%")
"""
MODEL = """
[[tool.costlab.model]]
name = "net"
model = "net.py:build"
inputs = ["1x3x8x8"]
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A folder with net.py; call it with the text of its pyproject.toml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)

    def write(text):
        (tmp_path / "pyproject.toml").write_text(textwrap.dedent(text))
        return tmp_path

    return write


def run(*argv, capsys):
    """(exit code, lines of stdout, lines of stderr) of `costlab check`."""
    code = cli.main(["check", *argv])
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err.splitlines()


@pytest.mark.parametrize(
    "limits, code, said",
    [
        ('"macs <= 18688"', 0, "1 passed"),
        ('"macs <= 18687"', 1, "1 failed"),
        ('"macs <= 18K"', 1, "1 failed"),
        (
            '"params <= 2830", "body: params <= 260", "body.1: params < 148"',
            1,
            "2 passed, 1 failed",
        ),
        ('{limit = "macs <= 18K", tolerance = "4%"}', 0, "1 passed"),
        ('{limit = "macs <= 18K", tolerance = "3.8%"}', 1, "1 failed"),
        ('"time <= 1ms"', 0, "1 skipped"),
        ('"bdy: macs <= 1M"', 1, "1 error"),
        ("", 0, "no limits"),
    ],
)
def test_a_limit_sets_the_exit_code(limits, code, said, repository, capsys):
    repository(f"{MODEL}limits = [{limits}]\n")
    found, out, err = run(capsys=capsys)
    assert (found, err) == (code, [])
    assert out[0] == f"pyproject.toml, 1 model: {said}"


def test_a_broken_limit_says_where_it_stands_and_which_blocks_grew(repository, capsys):
    repository(MODEL + 'limits = [\n  "macs <= 18688",  # of 4 channels\n  "params <= +1%",\n]\n')
    assert run("--update", capsys=capsys)[0] == 0
    repository(
        MODEL + 'arguments = {middle = 5}\nlimits = [\n  "macs <= 18688",\n  "params <= +1%",\n]\n'
    )
    code, out, _ = run(capsys=capsys)
    assert code == 1
    # MACs: 36*64 and 640 more a channel; params: 36 + 1 and 640 more
    assert out[-9:] == [
        "pyproject.toml:8: net: macs 18.69K -> 21.63K (+15.75%), limit: macs <= 18688",
        "  blocks that grew:",
        "    body.1  9.22K  ->  11.52K  +2.30K  (+25.00%)",
        "    head    2.56K  ->   3.20K    +640  (+25.00%)",
        "pyproject.toml:9: net: params 2.83K -> 3.51K (+23.92%), limit: params <= +1%",
        "  blocks that grew:",
        "    head    2.57K  ->  3.21K  +640  (+24.90%)",
        "    body.1    148  ->    185   +37  (+25.00%)",
        "net: arguments in costlab.lock: none; now: middle=5; `costlab check --update` records it",
    ]


def test_without_a_lock_file_a_broken_limit_says_where_most_of_it_is(repository, capsys):
    repository(MODEL + 'limits = ["body: macs <= 1K"]\n')
    _, out, _ = run(capsys=capsys)
    assert out[-3:] == ["  largest blocks:", "    body.1  9.22K", "    body.0  6.91K"]


def test_the_blocks_of_a_lock_file_stand_for_what_it_does_not_have_of_them(repository, capsys):
    """The lock file has no peaks of blocks: activations are shown, and the heading says so."""
    repository(MODEL + 'limits = ["peak <= 1KB"]\n')
    _, out, _ = run(capsys=capsys)
    assert out[-4:-2] == ["  largest blocks, by activations:", "    body.0  256"]


RENAMED = NET.replace("body", "trunk")
RENAMED_AND_GREW = RENAMED.replace(
    "middle, 3, padding=1)\n",
    "middle, 3, padding=1), nn.Tanh(),\n            nn.Conv2d(middle, middle, 3, padding=1)\n",
)


@pytest.mark.parametrize(
    "code, limit, verdict, line",
    [
        (RENAMED, "trunk: macs <= +0%", "1 passed", None),
        (
            RENAMED_AND_GREW,  # 36 * 64 * 4 more in the trunk, which is new
            "trunk: macs <= +0%",
            "1 failed",
            "trunk (was body): macs 16.13K -> 25.34K (+57.14%), limit: trunk: macs <= +0%",
        ),
        (
            RENAMED,
            "body: macs <= +0%",
            "1 error",
            "body: macs <= +0%: the model has no module 'body' that runs; it is trunk now",
        ),
        (RENAMED, "head: macs <= +0%", "1 passed", None),
        (
            RENAMED.replace("3, padding=1", "5, padding=2"),
            "body: macs <= +0%",
            "1 error",
            "body: macs <= +0%: module 'body' of the base has no counterpart in the model",
        ),
    ],
    ids=["renamed", "renamed and grew", "by its old name", "another block", "replaced"],
)
def test_a_limit_follows_a_block_to_its_new_name(code, limit, verdict, line, repository, capsys):
    folder = repository(MODEL + 'limits = ["body: macs <= 1G", "head: macs <= 1G"]\n')
    run("--update", capsys=capsys)
    (folder / "net.py").write_text(code)
    repository(MODEL + f'limits = ["{limit}"]\n')
    _, out, _ = run(capsys=capsys)
    assert out[0] == f"pyproject.toml, 1 model: {verdict}"
    assert line is None or f"pyproject.toml:6: net: {line}" in out
    if "grew" in "".join(out):
        (grew,) = [x.split() for x in out if x.startswith("    ")]
        assert grew == ["trunk.3", "0", "->", "9.22K", "+9.22K", "(new)"]


LOCK = """\
# What relative limits are judged against. `costlab check --update` writes it.
version = 1
costlab = "{costlab}"
torch = "{torch}"

[model.net]
model = "net.py:build"
inputs = ["1x3x8x8:float32"]
activations = 522
bytes = {bytes}
flops = {flops}
macs = 18688  # 18.69K
params = 2830  # 2.83K
peak = 2048  # 2.05KB

[model.net.blocks]
body = {{ activations = 512, macs = 16128, params = 260, peak = 2048 }}
"body.0" = {{ activations = 256, macs = 6912, params = 112 }}
"body.1" = {{ activations = 256, macs = 9216, params = 148 }}
head = {{ activations = 10, macs = 2560, params = 2570 }}
"""


def test_the_lock_file_is_a_line_a_figure(repository, capsys):
    """The peak: the output of the first convolution and that of the second, 256 floats each."""
    import torch

    folder = repository(MODEL + 'limits = ["body: peak <= 40MB"]\n')
    assert run("--update", capsys=capsys)[1][-1] == "costlab.lock is written: 1 added"
    total = costlab.total(costlab.trace(costlab.load("net.py:build", ["1x3x8x8"])))
    wanted = LOCK.format(
        costlab=costlab.__version__,
        torch=torch.__version__,
        bytes=f"{total.read + total.written}  # {(total.read + total.written) / 1e3:.2f}KB",
        flops=f"{total.flops}  # {total.flops / 1e3:.2f}K",
    )
    assert (folder / "costlab.lock").read_text() == wanted


def test_an_update_without_a_change_leaves_the_file_as_it_is(repository, capsys):
    folder = repository(MODEL)
    run("--update", capsys=capsys)
    lock = folder / "costlab.lock"
    lock.write_text(lock.read_text().replace('torch = "', 'torch = "older '))
    before = lock.read_text()
    assert run("--update", capsys=capsys)[1][-1] == "costlab.lock is up to date"
    assert lock.read_text() == before
    assert [f.name for f in folder.iterdir() if f.name.startswith(".costlab")] == []


def test_models_that_are_new_or_gone_are_one_line_and_update_mends_it(repository, capsys):
    repository(MODEL.replace('"net"', '"old"'))
    run("--update", capsys=capsys)
    repository(MODEL)
    code, out, _ = run(capsys=capsys)
    assert code == 0
    assert out[-2:] == [
        "net is not in costlab.lock; `costlab check --update` adds it",
        "old is in costlab.lock and is no longer checked; `costlab check --update` removes it",
    ]
    assert run("--update", capsys=capsys)[1][-1] == "costlab.lock is written: 1 added, 1 removed"
    assert "costlab.lock" not in "\n".join(run(capsys=capsys)[1])


@pytest.mark.parametrize(
    "limit, locked, says",
    [
        ("macs <= +1%", False, "it is relative to costlab.lock, which does not exist"),
        ("macs <= +1%", True, "costlab.lock has no macs of this model"),
        ("head: macs <= +1", True, "costlab.lock has no macs of head of this model"),
    ],
)
def test_a_relative_limit_without_a_baseline_is_an_error(limit, locked, says, repository, capsys):
    folder = repository(f'{MODEL}limits = ["{limit}"]\n')
    if locked:
        (folder / "costlab.lock").write_text("version = 1\n")
    code, out, _ = run(capsys=capsys)
    assert code == 1 and out[0].endswith("1 error")
    assert any(f"pyproject.toml:6: net: {limit}: {says}; `costlab check" in line for line in out)


def test_a_model_that_fails_is_an_error_and_the_others_are_checked(repository, capsys):
    folder = repository(
        MODEL.replace("build", "broken") + MODEL.replace('"net"', '"fine"') + 'limits = ["macs>0"]'
    )
    code, out, _ = run("--update", capsys=capsys)
    assert code == 1
    assert out[0] == "pyproject.toml, 2 models: 1 passed, 1 error"
    failed = "building net.py:broken failed: RuntimeError: no such <width> & 100% (net.py:19)"
    assert f"pyproject.toml:2: net: {failed}" in out
    assert "[model.fine]" in (folder / "costlab.lock").read_text()


def test_what_a_model_cost_before_it_failed_stays_in_the_lock_file(repository, capsys):
    folder = repository(MODEL)
    run("--update", capsys=capsys)
    before = (folder / "costlab.lock").read_text()
    repository(MODEL.replace("build", "broken"))
    assert run("--update", capsys=capsys)[0] == 1
    assert (folder / "costlab.lock").read_text() == before


@pytest.mark.parametrize(
    "text, says",
    [
        ("[tool]\n", "pyproject.toml: there is no table [tool.costlab]"),
        ("[tool.costlab\n", "pyproject.toml: "),
        ("[tool.costlab]\n", ":1: [tool.costlab]: models are tables [[tool.costlab.model]]"),
        (
            '[tool.costlab]\nlok = "x"\n' + MODEL,
            ":2: [tool.costlab]: unknown key 'lok'; did you mean lock?",
        ),
        (
            MODEL + 'limts = ["macs <= 1"]\n',
            ":6: [[tool.costlab.model]] 'net': unknown key 'limts'; did you mean limits?",
        ),
        (MODEL + 'limits = "macs <= 1"\n', ":6: [[tool.costlab.model]] 'net': limits is a list"),
        (
            MODEL + 'limits = [\n  "params <= 1",\n  "mac <= 1",\n]\n',
            ":8: [[tool.costlab.model]] 'net': 'mac <= 1' limits 'mac', which costlab does not "
            "count; did you mean macs?",
        ),
        (MODEL + "limits = [1]\n", ":6: [[tool.costlab.model]] 'net': a limit is a string, or {"),
        (
            MODEL + 'limits = [{limit = "macs > 1", tolerence = "1%"}]\n',
            ":6: [[tool.costlab.model]] 'net': unknown key 'tolerence' of a limit; did you mean "
            "tolerance?",
        ),
        (
            MODEL + 'tolerance = "much"\nlimits = ["macs > 1"]\n',
            ":6: [[tool.costlab.model]] 'net': tolerance 'much' is not a percentage",
        ),
        (
            MODEL + 'mode = "training"\n',
            ":6: [[tool.costlab.model]] 'net': unknown mode 'training'; did you mean train?",
        ),
        (MODEL + "batch = 2\n", ":6: [[tool.costlab.model]] 'net': batch needs a phase"),
        (MODEL + "inputs = [1]\n", "pyproject.toml: Cannot overwrite a value"),
        (MODEL.replace('["1x3x8x8"]', "[1]"), ":5: [[tool.costlab.model]] 'net': inputs is a list"),
        ('[[tool.costlab.model]]\nname = "a"\n', ":1: [[tool.costlab.model]] 'a': the key model"),
        (MODEL + MODEL, ":7: [[tool.costlab.model]] 'net': another model has this name (line 2)"),
        (MODEL.replace('"net"', r'"a\u001b[2J"'), ": a name is one line of printable characters"),
    ],
)
def test_a_bad_configuration_is_one_line_with_file_table_and_key(text, says, repository, capsys):
    repository(text)
    code, out, err = run(capsys=capsys)
    assert (code, out, len(err)) == (2, [], 1)
    assert err[0].startswith("costlab: pyproject.toml:") and says in err[0]


def test_a_file_that_is_not_there_is_one_line(repository, capsys):
    code, out, err = run("other.toml", capsys=capsys)
    assert (code, out) == (2, [])
    assert err == ["costlab: there is no file other.toml; name the pyproject.toml with budgets"]


@pytest.mark.parametrize(
    "text, says",
    [
        ("<<<<<<< HEAD\n", "costlab.lock: Invalid statement (at line 1, column 1)"),
        ("version = 9\n", "costlab.lock has version 9, this costlab reads 1"),
        ("version = 1\n[model.net]\nmacs = 'many'\n", "[model.net] macs is not a number"),
        ("version = 1\n[model]\nnet = 1\n", "[model.net] is not a table"),
        ("version = 1\n[model.net.blocks]\nhead = 3\n", "[model.net] head is not a number"),
    ],
)
def test_a_damaged_lock_file_is_one_line_and_update_writes_it_anew(text, says, repository, capsys):
    folder = repository(MODEL + 'limits = ["macs <= +0%"]\n')
    (folder / "costlab.lock").write_text(text)
    code, out, err = run(capsys=capsys)
    assert (code, out, len(err)) == (2, [], 1)
    assert says in err[0] and err[0].endswith("run `costlab check --update` to write it again")
    assert run("--update", capsys=capsys)[0] == 0
    assert run(capsys=capsys)[0] == 0


def test_no_lock_file_is_half_written(repository, capsys, monkeypatch):
    folder = repository(MODEL)
    run("--update", capsys=capsys)
    before = (folder / "costlab.lock").read_text()
    repository(MODEL + "arguments = {middle = 5}\n")

    def refuse(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    code, out, err = run("--update", capsys=capsys)
    assert (code, err) == (2, ["costlab: cannot write costlab.lock: No space left on device"])
    assert (folder / "costlab.lock").read_text() == before
    assert sorted(f.name for f in folder.iterdir() if "lock" in f.name or "-" in f.name) == [
        "costlab.lock"
    ]


def test_files_are_found_from_the_folder_of_the_configuration(repository, capsys, monkeypatch):
    folder = repository(MODEL + 'limits = ["macs <= 18688"]\n')
    monkeypatch.chdir("/")
    assert run(str(folder / "pyproject.toml"), "--update", capsys=capsys)[0] == 0
    assert (folder / "costlab.lock").exists()


def test_a_training_step_and_a_saved_trace_are_models(repository, capsys):
    folder = repository(MODEL)
    cli.main(["trace", "net.py:build", "--input", "1x3x8x8", "-o", str(folder / "net.trace")])
    capsys.readouterr()
    repository(
        MODEL.replace('"net"', '"step"')
        + 'mode = "train"\nlimits = ["peak >= 1B"]\n'
        + '[[tool.costlab.model]]\nmodel = "net.trace"\n'
        + 'limits = ["macs <= 18688", "time <= 1ms"]\n'
    )
    _, out, _ = run("--update", capsys=capsys)
    assert out[0] == "pyproject.toml, 2 models: 2 passed, 1 skipped"
    assert any("the saved trace was not measured" in line for line in out)
    assert "arguments = \"mode='train'\"" in (folder / "costlab.lock").read_text()


def test_a_limit_on_time_is_measured_where_it_is_asked_for(repository, capsys):
    folder = repository(
        MODEL + 'device = "cpu"\nlimits = ["time <= 10s", "body: time >= 1s", "time <= +900%"]\n'
    )
    _, out, _ = run("--update", "--measure", "--device", "cpu", capsys=capsys)
    assert out[0] == "pyproject.toml, 1 model: 2 passed, 1 failed"
    lock = (folder / "costlab.lock").read_text()
    entry = tomllib.loads(lock)["model"]["net"]
    assert 0 < entry["time"] < 10 and entry["measured-on"].endswith(", fp32, contiguous")
    run("--update", capsys=capsys)  # not measured: the time of before stays
    assert (folder / "costlab.lock").read_text() == lock
    (folder / "costlab.lock").write_text(lock.replace('measured-on = "', 'measured-on = "Not '))
    _, out, _ = run("--measure", capsys=capsys)
    assert out[0] == "pyproject.toml, 1 model: 1 passed, 1 failed, 1 skipped"
    assert any("costlab.lock has the time on Not " in line for line in out)


def test_a_limit_on_time_for_another_device_is_skipped_and_says_so(repository, capsys):
    repository(MODEL + 'device = "h100"\nlimits = ["time <= 1us"]\n')
    code, out, _ = run("--measure", "--device", "cpu", capsys=capsys)
    assert code == 0 and any("for h100, and this is" in line for line in out)


def test_a_device_without_measuring_is_refused(repository, capsys):
    repository(MODEL)
    code, _, err = run("--device", "cpu", capsys=capsys)
    assert (code, err) == (2, ["costlab: --device says where to measure; add --measure"])


def test_json_has_exact_figures_and_lines(repository, capsys):
    repository(MODEL + 'limits = ["macs <= 18K"]\n')
    _, out, _ = run("--format", "json", capsys=capsys)
    (row,) = json.loads("\n".join(out))["rows"]
    assert row["now (exact)"] == 18688 and row["line"] == 6 and row["verdict"] == "failed"


@pytest.mark.parametrize(
    "source, inputs, parts",
    [
        (
            "torchvision:resnet18",
            None,
            ["conv1", "bn1", "relu", "maxpool"]
            + [f"layer{i}.{k}" for i in (1, 2, 3, 4) for k in (0, 1)]
            + ["avgpool", "fc"],
        ),
        (
            "torchvision:vit_b_16",
            None,
            ["conv_proj"]
            + [f"encoder.layers.encoder_layer_{i}" for i in range(12)]
            + ["encoder.ln", "heads"],
        ),
        ("net.py:build", ["1x3x8x8"], ["body.0", "body.1", "head"]),
    ],
)
def test_a_model_consists_of_its_blocks(source, inputs, parts, repository):
    repository("")
    if source.startswith("torchvision"):
        pytest.importorskip("torchvision")
    trace = costlab.trace(costlab.load(source, inputs), device="meta")
    assert list(parts_of(TraceFigures(trace))) == parts


HOSTILE = "a <b>&\"' ]]> 100%, :: x\ny\r\x1b[2J\x00\ufffe"


def found(outcome="failed", text=HOSTILE):
    """One finding whose every text is hostile."""
    finding = Finding(text, text, "macs", outcome, text, (text,), f"{text}.toml", 3, 0.25)
    return Findings(
        "costlab check", "1.0", {"model": "it runs", "macs": "multiply-adds"}, (finding,)
    )


@pytest.fixture
def three(repository, capsys):
    """A repository with a limit that holds, one that is broken, one that is skipped, and a model
    that fails."""
    return repository(
        MODEL
        + 'limits = [\n  "macs <= 18688",\n  "params <= 2829",\n  "time <= 1ms",\n]\n'
        + MODEL.replace("build", "broken").replace('"net"', '"<broken> & 100%"')
    )


def test_junit_has_a_suite_a_model_and_a_case_a_limit(three, capsys):
    code, _, _ = run("--junit", "check.xml", capsys=capsys)
    root = ElementTree.parse(three / "check.xml").getroot()
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert code == 1
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    assert [s.get("name") for s in root] == ["net", "<broken> & 100%"]
    cases = [(c.get("name"), c.get("line"), [e.tag for e in c]) for c in root.iter("testcase")]
    assert cases == [
        ("macs <= 18688", "7", []),
        ("params <= 2829", "8", ["failure"]),
        ("time <= 1ms", "9", ["skipped"]),
        ("net.py:broken", "12", ["error"]),
    ]
    failure = next(root.iter("failure"))
    assert failure.get("message") == "params 2.83K, limit: params <= 2829"
    assert failure.text is not None and "head    2.57K" in failure.text


def test_junit_has_what_its_schemas_require(three, capsys):
    """Attributes and elements that both common schemas have, Ant's and that of the xunit plugin of
    Jenkins: counts that fit what is inside, and at most one outcome a case."""
    run("--junit", "check.xml", capsys=capsys)
    root = ElementTree.parse(three / "check.xml").getroot()
    assert root.tag == "testsuites" and {s.tag for s in root} == {"testsuite"}
    for suite in root:
        assert {case.tag for case in suite} == {"testcase"}
        outcomes = [e.tag for case in suite for e in case]
        assert int(suite.attrib["tests"]) == len(suite)
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == outcomes.count(tag)
        for case in suite:
            assert case.attrib["name"] and case.attrib["classname"] == suite.attrib["name"]
            assert float(case.attrib["time"]) >= 0 and len(case) <= 1
            assert all(e.attrib["type"] and e.attrib["message"] for e in case)
        assert float(suite.attrib["time"]) == pytest.approx(
            sum(float(case.attrib["time"]) for case in suite), abs=2e-3
        )


def test_github_annotates_the_lines_of_what_did_not_pass(three, capsys):
    _, out, _ = run("--github", capsys=capsys)
    annotations = [line for line in out if line.startswith("::")]
    assert annotations == [
        "::error file=pyproject.toml,line=8,title=net%3A params <= 2829::params 2.83K, limit: "
        "params <= 2829%0Alargest blocks:%0A  head    2.57K%0A  body.1    148%0A  body.0    112",
        "::notice file=pyproject.toml,line=9,title=net%3A time <= 1ms::time <= 1ms: not "
        "measured; `costlab check --measure` measures it",
        "::error file=pyproject.toml,line=12,title=<broken> & 100%25%3A net.py%3Abroken::building "
        "net.py:broken failed: RuntimeError: no such <width> & 100%25 (net.py:19)",
    ]


def test_sarif_has_what_the_schema_requires(three, capsys):
    """SARIF 2.1.0: a log has a version and runs, a run a tool with a named driver, a result a
    message; a rule index fits its id, and a result that is not a fail has no level."""
    run("--sarif", "check.sarif", capsys=capsys)
    log = json.loads((three / "check.sarif").read_text())
    (only,) = log["runs"]
    driver = only["tool"]["driver"]
    assert log["version"] == "2.1.0" and driver["name"] == "costlab check"
    assert all(r["message"]["text"] for r in only["results"])
    assert [driver["rules"][r["ruleIndex"]]["id"] for r in only["results"]] == [
        r["ruleId"] for r in only["results"]
    ]
    assert [(r["ruleId"], r["kind"], r["level"]) for r in only["results"]] == [
        ("macs", "pass", "none"),
        ("params", "fail", "error"),
        ("time", "notApplicable", "none"),
        ("model", "fail", "error"),
    ]
    places = [r["locations"][0]["physicalLocation"] for r in only["results"]]
    assert [p["region"]["startLine"] for p in places] == [7, 8, 9, 12]
    assert {p["artifactLocation"]["uri"] for p in places} == {"pyproject.toml"}
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids) and all(r["shortDescription"]["text"] for r in driver["rules"])
    prints = [r["partialFingerprints"]["limit/v1"] for r in only["results"]]
    assert len(set(prints)) == len(prints)  # by which code scanning knows a result again


def test_hostile_texts_are_one_annotation():
    (line,) = github(found()).splitlines()[:1]
    assert github(found()).count("\n") == 1
    properties, _, message = line.removeprefix("::error ").partition("::")
    assert properties.count(",") == 2 and properties.count(":") == 0
    assert "100%25" in message and "%0A" in message and "%0D" in message


def test_hostile_texts_are_well_formed_xml():
    root = ElementTree.fromstring(junit(found()).encode())
    case = next(root.iter("testcase"))
    assert case.get("name", "").startswith("a <b>&\"' ]]> 100%, :: x")
    assert "\ufffd[2J\ufffd\ufffd" in case.get("name", "")


def test_hostile_texts_are_json():
    (result,) = json.loads(sarif(found()))["runs"][0]["results"]
    assert HOSTILE in result["message"]["text"]
    assert " " not in result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def test_the_formats_are_of_the_result_too(three):
    check = costlab.check("pyproject.toml")
    assert not check.passed and [v.budget.limit.text for v in check.failed] == ["params <= 2829"]
    assert check.report("github").startswith("::error file=pyproject.toml,line=8,")
    with pytest.raises(ValueError, match="unknown format 'xunit'; choose junit, github, sarif"):
        check.report("xunit")


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(repository, capsys):
    folder = repository(MODEL)
    code, out, err = run("--update", "--junit", "no/check.xml", capsys=capsys)
    assert (code, out, len(err)) == (2, [], 1) and "cannot write" in err[0]
    assert not (folder / "costlab.lock").exists()
