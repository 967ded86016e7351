"""Profiles that a pyproject.toml or the TOML of a report names."""

import json

import pytest
from test_predicted import Calibrated

import costlab
from costlab.cli import main
from costlab.predict import device_file

MODEL = '[[tool.costlab.model]]\nname = "a"\nmodel = "nin_cifar10"\nlimits = ["{}"]\n'


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A folder with a device file, read as the stand-in, and a folder below to work in."""
    monkeypatch.setattr(device_file, "read_device", lambda path: Calibrated())
    (tmp_path / "one.device").touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def checked(folder, text, *argv, code=0, capsys):
    """The note of where times are from, by a check of one model."""
    (folder / "pyproject.toml").write_text(text)
    argv = ["check", str(folder / "pyproject.toml"), "--format", "json", "-q", *argv]
    assert main(argv) == code
    return json.loads(capsys.readouterr().out)["notes"]


PREDICTED, LEAST = MODEL.format("predicted_ms <= 9"), MODEL.format("at_least_ms <= 9")
# what the file says, and what it makes of the times
NAMED = {
    "of all models": ('[tool.costlab]\nprofile = "one.device"\n' + PREDICTED, "Device 1, fp32"),
    "of one": (
        '[tool.costlab]\nprofile = "l4"\n' + PREDICTED + 'profile = "one.device"',
        "Device 1",
    ),
    "a datasheet": ('[tool.costlab]\nprofile = "l4"\n' + LEAST, "NVIDIA L4 24GB, fp32, contiguous"),
    "in the dtype of the model": (
        '[tool.costlab]\nprofile = "l4"\n' + LEAST + 'dtype = "bf16"\nchannels-last = true',
        "NVIDIA L4 24GB, bf16, channels-last",
    ),
}


@pytest.mark.parametrize("case", NAMED)
def test_check_takes_the_profile_that_the_file_names(case, folder, capsys):
    text, said = NAMED[case]
    notes = checked(folder, text, capsys=capsys)
    assert len([n for n in notes if said in n]) == 1


def test_the_command_line_goes_before_the_file(folder, capsys):
    text = '[tool.costlab]\nprofile = "one.device"\n' + LEAST + 'dtype = "bf16"'
    notes = checked(folder, text, "--profile", "l4", "--profile-dtype", "fp16", capsys=capsys)
    assert any("NVIDIA L4 24GB, fp16" in n for n in notes)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ('profile = "l5"', "pyproject.toml:2: [tool.costlab]: there is no profile 'l5': give a"),
        ('profile = "no.device"', "pyproject.toml:2: [tool.costlab]: there is no file "),
        ("profile = 4", "pyproject.toml:2: [tool.costlab]: profile is a string"),
    ],
)
def test_a_profile_that_is_not_there_is_one_line(key, line, folder, capsys):
    (folder / "pyproject.toml").write_text(f"[tool.costlab]\n{key}\n{PREDICTED}")
    assert main(["check", str(folder / "pyproject.toml")]) == 2
    err = capsys.readouterr().err
    assert line in err and err.count("\n") == 1


def test_a_default_of_profile_is_found_from_the_file(folder, capsys):
    (folder / "pyproject.toml").write_text(
        '[tool.costlab.defaults]\nprofile = "one.device"\nrate = 3.6'
    )
    assert main(["table", "nin_cifar10"]) == 0
    out = capsys.readouterr().out
    assert "ms (predicted)" in out and "price of a million inputs" in out
    # a training step has no predicted time, and so no price
    assert main(["table", "nin_cifar10", "--mode", "train"]) == 0
    out = capsys.readouterr().out
    assert "ms (predicted)" not in out and "price of a million inputs" not in out


def test_what_a_file_names_for_its_models_goes_before_a_default(folder, capsys):
    default = '\n[tool.costlab.defaults]\nprofile = "h100"\nrate = 3.6'
    text = '[tool.costlab]\nprofile = "l4"\n' + LEAST + default
    assert any("NVIDIA L4" in note for note in checked(folder, text, capsys=capsys))
    (folder / "r.toml").write_text(REPORT + 'profile = "l4"')
    assert main(["report", "--config", str(folder / "r.toml"), "-o", str(folder / "r.html")]) == 0
    page = (folder / "r.html").read_text()
    assert "NVIDIA L4" in page and "H100" not in page


def test_a_default_rate_needs_no_time(folder, capsys):
    (folder / "pyproject.toml").write_text("[tool.costlab.defaults]\nrate = 3.6")
    page = str(folder / "r.html")
    assert main(["report", "nin_cifar10", "--sections", "summary", "-o", page]) == 0
    assert "price of" not in (folder / "r.html").read_text()


def test_a_default_that_is_no_profile_is_one_line(folder, capsys):
    (folder / "pyproject.toml").write_text('[tool.costlab.defaults]\nprofile = "no.device"')
    assert main(["table", "nin_cifar10"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("costlab: the default of --profile: there is no file ../no.device")
    assert err.count("\n") == 1


REPORT = 'models = ["nin_cifar10", "cnds8"]\nsections = ["summary", "table", "comparison"]\n'


def test_a_report_has_the_times_and_prices_of_its_file(folder):
    (folder / "r.toml").write_text(
        REPORT + 'profile = "one.device"\nprofile_dtype = "bf16"\nrate = 3.6'
    )
    summary, table, comparison = costlab.report(config=folder / "r.toml").document.sections
    assert "on Device 1, bf16, contiguous" in str(summary.parts)
    assert "price of a million inputs: " in str(summary.parts)
    assert "ms (predicted)" in str(table.parts)
    assert "price of a million inputs, predicted" in str(comparison.parts)
    given = costlab.report(config=folder / "r.toml", profile="l4").document.sections
    assert "NVIDIA L4 24GB, fp32" in str(given[0].parts)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ('profile = "l5"', "line 3: there is no profile 'l5'"),
        ('profile = "no.device"', "line 3: there is no file "),
        ('profile = "l4"\nprofile_dtype = "fp8"', "line 4: unknown profile_dtype 'fp8'; there are"),
        ('profile = "l4"\nprofile_layout = "nhwc"', "line 4: unknown profile_layout 'nhwc'; there"),
        ('profile_dtype = "bf16"', "line 3: profile_dtype is of predicted times; add profile"),
        ('rate = "2"', "line 3: rate is a number"),
        ("rate = true", "line 3: rate is a number"),
        ("rate = 2", "nin_cifar10 has no time to price by"),
        ('profile = "l4"\nrate = -1', "a rate of -1 an hour is no price"),
    ],
)
def test_a_report_that_cannot_predict_is_one_line(keys, line, folder, capsys):
    (folder / "r.toml").write_text(REPORT + keys)
    assert main(["report", "--config", str(folder / "r.toml"), "-o", "r.html"]) == 2
    err = capsys.readouterr().err
    assert line in err and "r.toml" in err and err.count("\n") == 1


def test_a_review_says_what_the_change_saves():
    parts = costlab.report(
        base="resnet18", head="resnet34", sections=["summary", "change"], profile=Calibrated()
    ).document.sections
    summary, change = (str(section.parts) for section in parts)
    assert "resnet34 takes " in summary and " ms more than resnet18 (" in summary
    assert "MACs and predicted time from resnet18 to resnet34, block by block" in change
