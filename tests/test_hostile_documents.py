"""Text files and device files with a few things changed: each is read, or refused in one line."""

import contextlib
import io
import json
import random
import re

import mutations
import pytest
from test_device_file import document, packed
from test_documents import FORMATS, PACKAGES
from test_hostile_files import TooLateError, in_time  # noqa: F401  (a fixture)

import costlab
from costlab.cli import main
from costlab.predict import ProfileError
from costlab.predict.device_file import read_calibration

LEDGER = """
[[claim]]
id = "one"
says = "two and two are four, and {2 * 3:.1f} is six"
published = true
checks = [{ expr = "2 + 2", said = 4, tolerance = 0.01, note = "a note" }, { expr = "[1, 2]" }]

[[claim]]
id = "two"
says = "a convolution"
finding = "{round(3 * 1.5, 2)}"
checks = [{ expr = "max(3 ** 2, 5) / 9", said = [1, 1.0] }]
"""
YAML_LEDGER = """
- &a
  id: one
  says: two and two are four
  checks: [{expr: "2 + 2", said: 4, tolerance: 0.01}, {expr: "3 % 2", said: [1]}]
- <<: *a
  id: two
"""
REPORT = """
title = "A report"
subtitle = "of a network"
models = ["nin_cifar10"]
sections = ["table"]
paper = "a4"
[notes]
table = "A note with *stars* and `code`."
"""
PROJECT = """
[tool.costlab]
[[tool.costlab.model]]
name = "nin"
model = "nin_cifar10"
limits = ["macs <= 2G", "params <= 10M"]
input = "1x3x32x32"
[tool.costlab.defaults]
depth = 2
"""
LOCK = """
version = 1
[[model]]
name = "nin"
macs = 5
params = 7
"""
PRINTED = """type,patch size/stride,output size,params,ops
# a comment
convolution,7x7/2,112x112x64,2.7K,34M
2xinception,,28x28x256,159K,128M
"a, b",,,,
"""
CONFIG = {
    **{"model_type": "vit", "num_hidden_layers": 1, "hidden_size": 32, "intermediate_size": 64},
    **{"num_attention_heads": 2, "image_size": 32, "patch_size": 16, "hidden_act": "gelu"},
    **{"architectures": ["ViTModel"], "qkv_bias": True, "torch_dtype": "float32"},
}
UNET = {
    **{"_class_name": "UNet2DModel", "sample_size": 16, "block_out_channels": [32, 32]},
    **{"down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "layers_per_block": 1},
    **{"up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "norm_num_groups": 8},
}
OUTCOME = {"configuration": {"batch": 1}, "result": {"macs": 5, "params": 2}, "reason": ""}
# of each format what is changed: a text, or the object of its JSON
WHOLE = {
    **{"ledger": LEDGER, "yaml ledger": YAML_LEDGER, "report": REPORT, "project": PROJECT},
    **{"lock": LOCK, "printed": PRINTED, "transformers": CONFIG, "diffusers": UNET},
    **{"journal": OUTCOME},
}
ODD = (
    "-1",
    "0",
    "1e999",
    "nan",
    "9" * 400,
    "2**64",
    "true",
    "''",
    "[",
    "]]",
    "{",
    '"""',
    "'''",
    "=",
)
ODD_TOKENS = (*ODD, "\\", "\r", "\t", "#", "&a", "*a", "!!python/name:os.system", ",,,,", "\ufeff")
PIECES = re.compile(r"\w+|\s+|[^\w\s]")


def mutated(whole, seed):
    """A document with one to three things changed."""
    rng = random.Random(seed)
    if not isinstance(whole, str):
        return json.dumps(mutations.mutant(whole, seed))
    pieces = PIECES.findall(whole)
    for _ in range(rng.choice((1, 1, 2, 3))):
        i = rng.randrange(len(pieces))
        way = rng.choice(("drop", "put", "put", "name", "splice", "again", "cut"))
        if way == "drop":
            del pieces[i]
        elif way in ("put", "name"):
            pieces[i] = rng.choice(
                [*mutations.NASTY_NAMES.values()] if way == "name" else ODD_TOKENS
            )
        elif way == "splice":
            pieces[i] = rng.choice(pieces)
        elif way == "again":
            pieces[i:i] = pieces[max(0, i - rng.randrange(20)) : i]
        else:
            pieces = pieces[: max(1, i)]
    return "".join(pieces)


def answered(argv, what):
    """The exit code of a command, whose errors are one line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as e:  # the parser's, which reads the defaults of pyproject.toml
            code = e.code
    assert code in (0, 1, 2), what
    if code == 2:
        last = err.getvalue().rpartition("\r")[2]
        assert last.startswith("costlab: ") and last.count("\n") == 1, f"{what}: {last[-2000:]}"
        assert last[:-1].isprintable() and len(last) < 1050, f"{what}: {last}"
    return code


def run(format, numbers, tmp_path, monkeypatch, in_time):  # noqa: F811
    if format in PACKAGES:
        pytest.importorskip(PACKAGES[format])
    monkeypatch.chdir(tmp_path)
    name, _, command = FORMATS[format]
    path = tmp_path / name
    argv, codes = command(path), []
    for n in numbers:
        in_time()
        text = mutated(WHOLE[format], n)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            codes.append(answered(argv, f"mutant {n} of {format}"))
        except TooLateError:
            pytest.fail(f"mutant {n} of {format} takes too long")
        except Exception as e:
            raise AssertionError(f"mutant {n} of {format}") from e
    return codes


@pytest.mark.parametrize("format", [f for f in FORMATS if f not in ("report", *PACKAGES)])
def test_mutants(format, tmp_path, monkeypatch, in_time):  # noqa: F811
    run(format, range(6), tmp_path, monkeypatch, in_time)


# a report and a model take a second each; a mutant of 1,000 layers takes as long as it takes
MANY = {"report": 100, "diffusers": 100, "transformers": 100, "journal": 200}


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_hundreds_of_mutants(format, tmp_path, monkeypatch, in_time):  # noqa: F811
    numbers = range(6, 6 + MANY.get(format, 400))
    assert {*run(format, numbers, tmp_path, monkeypatch, in_time)} > {2}, "all are refused, or none"


def devices(numbers, tmp_path, in_time):  # noqa: F811
    """Of each mutant of a device file, whether it is read."""
    path, whole = tmp_path / "mutant.device", document()
    for n in numbers:
        in_time()
        path.write_bytes(packed(json.dumps(mutations.mutant(whole, n)).encode()))
        try:
            read_calibration(path)
        except ProfileError as e:
            assert str(e).isprintable() and len(str(e)) < 500, f"mutant {n}"
            yield False
        except Exception as e:
            raise AssertionError(f"mutant {n}") from e
        else:
            yield True


def test_mutants_of_a_device_file(tmp_path, in_time):  # noqa: F811
    assert {*devices(range(100), tmp_path, in_time)} == {True, False}


@pytest.mark.slow
def test_thousands_of_mutants_of_a_device_file(tmp_path, in_time):  # noqa: F811
    """Those that are read predict, or say in one line that they cannot."""
    trace = costlab.trace(costlab.load("nin_cifar10"))
    for n, read in enumerate(devices(range(100, 3100), tmp_path, in_time)):
        if not read:
            continue
        try:
            costlab.table(costlab.trace(trace, profile=tmp_path / "mutant.device")).render("text")
        except ProfileError as e:
            assert str(e).isprintable() and len(str(e)) < 500, f"mutant {100 + n}"


def test_a_long_name_does_not_fill_the_line(tmp_path, capsys):
    """A key of 10,000 characters: the line says what is wrong at its start and its end."""
    path = tmp_path / "pyproject.toml"
    key = "k" * 10_000
    path.write_text(f'[[tool.costlab.model]]\nname = "nin"\nmodel = "nin"\n{key} = 1\n')
    assert main(["check", str(path)]) == 2
    err = capsys.readouterr().err
    assert len(err) < 1050 and err.count("\n") == 1
    assert "unknown key 'kkk" in err and " ... k" in err and "phase, context, batch" in err
