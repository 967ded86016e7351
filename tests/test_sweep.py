"""Sweeps: parallel, resumable, going on where one fails; the exact cost polynomials."""

import json
from pathlib import Path
import os
import time
from importlib.util import find_spec

import pytest
import torch
from selection import slow_but
from torch import nn

import costlab
from costlab import zoo
from costlab.analysis import sweep as s
from costlab.analysis.polynomial import polynomial, stride
from costlab.cli import main
from costlab.cli.sweep import values
from costlab.sources.torchvision import load_torchvision
from costlab.trace.build import build_on_meta

CONFIGURATIONS = [{"n": n} for n in range(6)]


def square(c):
    if c.get("log"):
        with open(c["log"], "a") as f:
            f.write(f"{c['n']}\n")
    if c["n"] == 3:
        raise ValueError("three is not to be had\nmore lines")
    return {"macs": c["n"] ** 2}


def dies(c):
    if c["n"] == 2:
        os._exit(9)
    time.sleep(0.05)
    return {"macs": c["n"]}


ENGINES = [None, s.local(2)]


@pytest.mark.parametrize("engine", ENGINES, ids=["here", "processes"])
def test_a_failing_configuration_is_recorded_with_its_reason(engine):
    told = []
    result = s.run(
        CONFIGURATIONS,
        square,
        engine=engine,
        jobs=2,
        progress=lambda *a: told.append(a),
        axes=["n"],
    )
    assert [o.result and o.result["macs"] for o in result.outcomes] == [0, 1, 4, None, 16, 25]
    assert result.failed == 1 and result.outcomes[3].reason == "ValueError: three is not to be had"
    assert (
        told == [(i, 6) for i in range(1, 7)]
        and result.sheet.notes[0] == "6 configurations, 1 failed"
    )
    assert [r["failed"] for r in result.sheet.rows].count("") == 5


@pytest.mark.slow
def test_a_worker_that_dies_takes_only_its_configuration():
    result = s.run(CONFIGURATIONS, dies, engine=s.local(2), jobs=2, axes=["n"])
    assert [o.result and o.result["macs"] for o in result.outcomes] == [
        0,
        1,
        None,
        3,
        4,
        5,
    ] and result.outcomes[2].reason == s.DIED


def leaves(c):
    if c["n"] == 1:
        raise SystemExit("no data")
    return {"macs": c["n"]}


@pytest.mark.parametrize(
    "engine", [None, pytest.param(s.local(2), marks=pytest.mark.slow)], ids=["here", "processes"]
)
def test_a_model_that_exits_takes_only_its_configuration(engine):
    result = s.run(CONFIGURATIONS[:3], leaves, engine=engine, jobs=2, axes=["n"])
    assert [o.result and o.result["macs"] for o in result.outcomes] == [
        0,
        None,
        2,
    ] and "no data" in result.outcomes[1].reason


def test_a_stopped_sweep_goes_on_where_it_was(tmp_path):
    journal, log = str(tmp_path / "j.jsonl"), str(tmp_path / "log")
    work = [{**c, "log": log} for c in CONFIGURATIONS]
    s.run(work[:4], square, journal=journal)
    with open(journal, "a") as f:
        f.write('{"configuration": {"n": 4')  # cut short while it was written
    result = s.run(work, square, journal=journal)
    assert Path(log).read_text().split() == ["0", "1", "2", "3", "3", "4", "5"] and [
        o.result and o.result["macs"] for o in result.outcomes
    ] == [0, 1, 4, None, 16, 25]
    lines = [json.loads(line) for line in Path(journal).read_text().splitlines()]
    assert len(lines) == 7 and {line["costlab"] for line in lines} == {costlab.__version__}
    assert s.run(work, square, journal=journal).outcomes == result.outcomes
    assert Path(log).read_text().split() == [
        "0",
        "1",
        "2",
        "3",
        "3",
        "4",
        "5",
        "3",
    ]  # only what failed is tried again


@pytest.mark.slow
def test_a_journal_of_another_version_of_the_model_is_left(tmp_path, capsys):
    file, journal = tmp_path / "net.py", str(tmp_path / "j.jsonl")
    argv = [f"{file}:build", "--input", "1x3x8x8", "--over", "batch=1,2", "--journal", journal]
    argv += ["--jobs", "1"]
    macs = []
    for width in (4, 4, 6):
        file.write_text(NET.replace("width=4", f"width={width}"))
        doc = rows(capsys, *argv)
        macs.append([r["MACs"] for r in doc["rows"]])
    assert macs[0] == macs[1] == [6920, 13840] and macs[2] == [
        10380,
        20760,
    ]  # width x (27 x 64 + 2)
    assert (
        any(
            "2 outcomes in the journal are from another version of the model" in n
            for n in doc["notes"]
        )
        and len(Path(journal).read_text().splitlines()) == 4
    )


@pytest.mark.parametrize(
    "text, line",
    [
        ("no json\n{}\n", "line 1: not a line of a sweep"),
        ("one line of a paper", "line 1"),
        ('{"configuration": {}, "result": null, "reason": ""}\n{"x": 1}\n\n', "line 2: not a line"),
    ],
)
def test_another_file_is_no_journal(tmp_path, text, line):
    file = tmp_path / "j.jsonl"
    file.write_text(text)
    with pytest.raises(s.JournalError, match=line):
        s.run(CONFIGURATIONS, square, journal=str(file))
    assert file.read_text() == text
    with pytest.raises(s.JournalError, match="cannot write"):
        s.run(CONFIGURATIONS, square, journal="/no/such/folder/j.jsonl")


@pytest.mark.slow
def test_a_dask_cluster_does_the_same(dask):
    result = s.run(CONFIGURATIONS, square, engine=dask, jobs=2, axes=["n"])
    assert [o.result and o.result["macs"] for o in result.outcomes] == [0, 1, 4, None, 16, 25]


# ---- polynomials


def counter(make, *sizes, tokens=False):
    model = build_on_meta(make).eval()

    def shape(*v):
        if tokens:
            return torch.zeros(v, dtype=torch.long)
        return torch.empty((v[0], 3, *v[1:]), device="meta")

    return lambda *v: costlab.total(costlab.trace(model, shape(*v), device="meta")).macs


class Attend(nn.Module):
    """Tokens of width 8: two products of t x t x 8 a head's worth, and one 8 x 8 projection a
    token."""

    def __init__(self):
        super().__init__()
        self.emb, self.out = nn.Embedding(10, 8), nn.Linear(8, 8, bias=False)

    def forward(self, ids):
        x = self.emb(ids)[:, None]
        return self.out(nn.functional.scaled_dot_product_attention(x, x, x))


@pytest.mark.parametrize(
    "make, names, base, step, terms, text",
    [
        # 3x3 same, 3 -> 4: 108 a position; then stride 2, 4 -> 8, 1x1: 32 a quarter of them
        (
            lambda: nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 1, 2)),
            "NHW",
            (1, 8, 8),
            (1, 2, 2),
            {(1, 1, 1): (116, 1)},
            "MACs = 116 N H W, exact for any N, H = 8 + 2 k",
        ),
        # 3x3 valid: 27 (H - 2)(W - 2)
        (
            lambda: nn.Conv2d(3, 1, 3),
            "NHW",
            (1, 16, 16),
            (1, 1, 1),
            {(1, 1, 1): (27, 1), (1, 1, 0): (-54, 1), (1, 0, 1): (-54, 1), (1, 0, 0): (108, 1)},
            "- 54 N H - 54 N W + 108 N, exact",
        ),
        # stride 2 on odd sizes: (H + 1) / 2 positions
        (
            lambda: nn.Conv2d(3, 4, 1, 2),
            "NHW",
            (1, 7, 7),
            (1, 2, 2),
            {(1, 1, 1): (3, 1), (1, 1, 0): (3, 1), (1, 0, 1): (3, 1), (1, 0, 0): (3, 1)},
            "MACs = 3 N H W + 3 N H + 3 N W + 3 N",
        ),
    ],
)
def test_polynomials_by_hand(make, names, base, step, terms, text):
    made = polynomial(counter(make), list(names), base, step)
    assert made.terms == terms and text in str(made) and made.checked == 6


def test_attention_is_quadratic_in_tokens():
    made = polynomial(counter(Attend, tokens=True), ["N", "T"], (1, 4), (1, 1))
    assert made.terms == {(1, 2): (16, 1), (1, 1): (64, 1)} and str(made).startswith(
        "MACs = 16 N T^2 + 64 N T, exact for any N, any T"
    )


def test_resnet50_in_one_line_and_far_from_where_it_was_found():
    if not find_spec("torchvision"):
        pytest.skip("no torchvision")
    load_torchvision()
    from torchvision import models as torchvision

    count = counter(lambda: torchvision.resnet50())
    model = build_on_meta(lambda: torchvision.resnet50()).eval()
    step = stride(costlab.trace(model, torch.empty(1, 3, 224, 224, device="meta")))
    made = polynomial(count, ["N", "H", "W"], (1, 224, 224), (1, step, step))
    assert step == 32 and made(7, 640, 96) == count(7, 640, 96) and made(1, 224, 224) == 4089184256


def test_what_is_no_polynomial_is_said_so():
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4, bias=False)

        def forward(self, x):
            for _ in range(x.shape[-1].bit_length()):
                x = x[..., :4] @ self.fc.weight
            return x

    assert polynomial(counter(Steps), ["N", "H", "W"], (1, 4, 4), (1, 1, 1)) is None


def test_a_polynomial_holds_below_and_far_above_the_sizes_that_it_was_found_from():
    """Linear from 8 to 24, more or less elsewhere: no one polynomial."""
    for bent in (lambda n, h, w: n * h * w + (h < 8), lambda n, h, w: n * h * w + (h > 40)):
        assert polynomial(bent, ["N", "H", "W"], (1, 16, 16), (1, 4, 4)) is None
    assert (
        polynomial(lambda n, h, w: n * h * w, ["N", "H", "W"], (1, 16, 16), (1, 4, 4)).checked == 6
    )


# ---- the command


@pytest.mark.parametrize(
    "name, text, found",
    [
        ("batch", "1..16", [1, 2, 4, 8, 16]),
        ("batch", "3..20", [3, 6, 12]),
        ("resolution", "160..256", [160, 192, 224, 256]),
        ("resolution", "96..160:16", [96, 112, 128, 144, 160]),
        ("tokens", "5,7", [5, 7]),
        ("kind", "a,b", ["a", "b"]),
    ],
)
def test_ranges(name, text, found):
    assert [*values(name, text)] == found


def rows(capsys, *argv, code=0):
    assert main(["sweep", *argv, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


NET = """from torch import nn
def build(width=4):
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), *pool, nn.Linear(width, 2))
"""


@pytest.mark.slow
def test_a_sweep_over_sizes_and_arguments(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(NET)
    doc = rows(
        capsys,
        f"{file}:build",
        "--input",
        "1x3x8x8",
        "--over",
        "batch=1,2",
        "--over",
        "resolution=8,16",
        "--over",
        "arg.width=4,6",
        "--jobs",
        "1",
        "--chart",
        str(tmp_path / "c.svg"),
    )
    got = {
        (r["batch"], r["resolution"], r["arg.width"]): (r["params (elements)"], r["MACs"])
        for r in doc["rows"]
    }
    assert got == {
        (n, d, w): (30 * w + 2, n * w * (27 * d * d + 2))
        for n in (1, 2)
        for d in (8, 16)
        for w in (4, 6)
    }
    assert not any(
        "exact" in n for n in doc["notes"]
    )  # a polynomial of the sizes would be of one width only
    notes = rows(
        capsys,
        f"{file}:build",
        "--input",
        "1x3x8x8",
        "--over",
        "batch=1,2",
        "--over",
        "resolution=8,16",
        "--jobs",
        "1",
    )["notes"]
    assert any("MACs = 108 N H W + 8 N, exact for any N, any H, any W" in n for n in notes)
    assert (
        "resolution 8, width 6" in (tmp_path / "c.svg").read_text()
        and (tmp_path / "c.csv").exists()
    )


# width 32, 2 layers, 4 heads of 8, MLP of 64: 4 * 32^2 + 3 * 32 * 64 MACs a token and layer with
# weights; a decoded token attends to the context and itself; the head is 32 x 100
LLAMA = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}


def decoded(context, batch):
    layer = 4 * 32**2 + 3 * 32 * 64 + (context + 1) * 4 * (8 + 8)
    return batch * (2 * layer + 32 * 100)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")
@pytest.mark.parametrize("axis, said", [("width", True), ("batch", False), ("arg.width", False)])
def test_a_size_with_the_name_of_an_argument_is_told_from_it(axis, said, tmp_path):
    file = tmp_path / "net.py"
    file.write_text(NET)
    model = f"{file}:build"
    result = costlab.sweep(model, inputs="1x3x8x8", over={axis: [8, 16]}, jobs=1)
    note = f"width is that of the input; for the argument of {model}, write arg.width"
    assert (note in result.notes) == said


@pytest.mark.usefixtures("sweeps_here")
def test_a_sweep_of_a_phase_counts_that_phase(capsys):
    """`--phase` once was ignored: the rows were those of a forward pass without a cache."""
    found = costlab.sweep(
        "transformers:LlamaConfig",
        over={"context": [16, 32], "batch": [1, 3]},
        arguments=LLAMA,
        phase="decode",
        jobs=1,
    )
    expected = [decoded(context, batch) for context in (16, 32) for batch in (1, 3)]
    assert [o.result["macs"] for o in found.outcomes] == expected
    words = [w for k, v in LLAMA.items() for w in ("--arg", f"{k}={v}")]
    phase = ["--phase", "decode", "--batch", "3", "--over", "context=16,32", "--jobs", "1"]
    doc = rows(capsys, "transformers:LlamaConfig", *words, *phase)
    assert [r["MACs"] for r in doc["rows"]] == [decoded(16, 3), decoded(32, 3)]


@pytest.mark.usefixtures("sweeps_here")
def test_a_model_of_one_resolution_says_so(capsys):
    doc = rows(capsys, "nin_cifar10", "alexnet", "--over", "resolution=227,259", "--jobs", "1")
    assert [bool(r["failed"]) for r in doc["rows"]] == [
        False,
        False,
        False,
        True,
    ] and "the model failed in head" in doc["rows"][3]["failed"]
    assert any(
        n.startswith("alexnet: MACs = 724,406,816 N") and "it takes one resolution only" in n
        for n in doc["notes"]
    )


@pytest.mark.slow
def test_a_measured_sweep_has_times_and_memory(tmp_path, capsys):
    file = tmp_path / "net.py"
    file.write_text(NET)
    doc = rows(
        capsys,
        f"{file}:build",
        "--input",
        "1x3x8x8",
        "--over",
        "batch=1,2",
        "--measure",
        "--device",
        "cpu",
        "--journal",
        str(tmp_path / "j.jsonl"),
    )
    assert all(
        r["time, low (ms)"] <= r["time (ms)"] <= r["time, high (ms)"]
        and r["peak memory, measured (bytes)"] > 0
        for r in doc["rows"]
    )
    assert len((tmp_path / "j.jsonl").read_text().splitlines()) == 2


@pytest.mark.usefixtures("sweeps_here")
def test_every_configuration_failing_is_exit_code_1(capsys):
    argv = ["alexnet", "--over", "resolution=64,96", "--jobs", "1"]
    assert all(r["failed"] for r in rows(capsys, *argv, code=1)["rows"])


@pytest.mark.parametrize(
    "argv, line",
    [
        (["nin", "--over", "batch"], "cannot read --over 'batch'"),
        (["nin", "--over", "batch=4..1"], "is empty"),
        (["nin", "--over", "batch=x..1"], "cannot read --over batch=x..1"),
        (["nn", "--over", "batch=1,2"], "unknown model 'nn'"),
        (["nin", "--over", "batch=1", "--jobs", "0"], "--jobs 0: at least 1"),
        (["nin", "--over", "batch=1", "--measure", "--jobs", "2"], "leave out --jobs"),
        (
            ["nin", "--over", "batch=1,2", "--journal", "/no/such/j.jsonl"],
            "cannot write /no/such/j.jsonl",
        ),
        (["nin", "--over", "batch=1,x"], "sizes are integers from 1"),
        (["nin", "--over", "batch=1,,2"], "cannot read --over batch=1,,2"),
        (["nin", "--over", "batch=1,2", "--over", "batch=4"], "given twice"),
        (["nin", "--over", "batch=1,2", "--dtype", "bf16"], "add --measure"),
        (["nin", "--over", "batch=1,2", "--scheduler", "tcp://x"], "add --engine dask"),
        (["nin", "--over", "batch=1,2", "-o", "/no/such/t.csv"], "cannot write /no/such/t.csv"),
        (["nin", "--over", "batch=1,2", "--measure", "--dtype", "fp4"], "unknown dtype 'fp4'"),
        (["nin", "--over", "batch=1,2", "--measure", "--mode", "train"], "leave out --mode train"),
        (["nin", "--over", "batch=1234567890"], "sizes are integers from 1"),
        (["nin", "--over", "tokens=1,2"], "nin has no tokens: its inputs are 1x3x224x224"),
        (["transformers:BertConfig", "--over", "height=8"], "has no height: its inputs are 1x"),
    ],
)
def test_bad_input_is_one_line(argv, line, capsys):
    assert main(["sweep", *argv]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "options, line",
    [
        ({"jobs": 0}, "`jobs` 0: at least 1"),
        ({"measure": True, "jobs": 2}, "leave out `jobs`"),
        ({"measure": True, "train": True}, "`measure` times inference; leave out `train`"),
        ({"dtype": "bf16"}, "add `measure`"),
        ({"channels_last": True}, "add `measure`"),
        ({"scheduler": "tcp://x"}, "add `engine=dask`"),
        ({"engine": "ray"}, "unknown engine 'ray'"),
        ({"over": {}}, "a sweep needs what varies"),
        ({"over": {"batch": []}}, "`over` batch has no values"),
        ({"over": {"batch": [0]}}, "sizes are integers from 1"),
        ({"over": {"batch": [1.5]}}, "sizes are integers from 1"),
        ({"over": {"tokens": [8]}}, "nin has no tokens: its inputs are 1x3x224x224"),
    ],
)
def test_a_wrong_option_in_python_is_one_line(options, line):
    with pytest.raises(ValueError) as raised:
        costlab.sweep("nin", **{"over": {"batch": [1, 2]}, **options})
    assert line in str(raised.value) and "\n" not in str(raised.value)


def test_strides():
    assert (
        stride(
            costlab.trace(
                build_on_meta(lambda: zoo.build("googlenet")),
                torch.empty(1, 3, 224, 224, device="meta"),
            )
        )
        == 32
    )


INERT = """
from torch import nn
def build(maps=4, name=""):
    return nn.Conv2d(3, max(maps, 4), 3)
"""


@pytest.mark.usefixtures("sweeps_here")
@pytest.mark.parametrize(
    "over, inert",
    slow_but(
        ("name=a,b", "maps=2,8"),
        [
            ("name=a,b", "arg.name"),
            ("maps=1,2", "arg.maps"),
            ("maps=2,8", ""),
            ("name=a", ""),  # one value is no comparison
            ("batch=1,2 name=a,b", "arg.name"),
            ("maps=4,8 name=a,b", "arg.name"),
            ("name=a,b maps=4,x", ""),  # one of them fails
        ],
    ),
)
def test_an_argument_that_changes_nothing_is_refused(over, inert, tmp_path, capsys):
    """The factory takes `name` and ignores it; under 4 maps are 4."""
    (tmp_path / "net.py").write_text(INERT)
    argv = ["sweep", f"{tmp_path}/net.py:build", "--input", "1x3x8x8", "--jobs", "1"]
    code = main([*argv, *(word for axis in over.split() for word in ("--over", axis))])
    said = capsys.readouterr().err
    assert code == (2 if inert else 0)
    assert said == (
        f"costlab: --over {inert} changes nothing: params, MACs, activations and memory are the "
        "same for each of its values; leave it out\n"
        if inert
        else ""
    )
