"""Defaults of options in the user's pyproject.toml: what they do, and what they cannot be."""

import json

import pytest

from costlab.cli import main

TABLE = "tool.costlab.defaults"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes a pyproject.toml, and works in a folder below it."""
    (tmp_path / "nets").mkdir()
    monkeypatch.chdir(tmp_path / "nets")

    def write(text):
        (tmp_path / "pyproject.toml").write_text(text)

    return write


def printed(argv, capsys):
    capsys.readouterr()
    assert main(argv) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refusal(argv, capsys):
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(argv)
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and out == "" and err.count("\n") == 1
    return err.removeprefix("costlab: ").rstrip("\n")


NIN = ["table", "nin_cifar10"]
# a file, a command line, and the command line that does the same without the file
SAME = {
    "of a command": ('[{}.table]\ncolumns = "type,ops"', NIN, [*NIN, "--columns", "type,ops"]),
    "of all": ('[{}]\nformat = "csv"', NIN, [*NIN, "--format", "csv"]),
    "a command's goes before all's": (
        '[{}]\nformat = "csv"\n[{}.table]\nformat = "md"',
        NIN,
        [*NIN, "--format", "markdown"],
    ),
    "another command's": ('[{}.grid]\nformat = "csv"', NIN, NIN),
    "the command line wins": (
        '[{}.table]\nstyle = "paper"',
        [*NIN, "--style", "layers"],
        [*NIN, "--style", "layers"],
    ),
    "also over what is repeated": (
        '[{}.table]\nrename = "ops=a"',
        [*NIN, "--rename", "ops=b"],
        [*NIN, "--rename", "ops=b"],
    ),
    "a list": ('[{}.table]\ncolumns = ["name", "ops"]', NIN, [*NIN, "--columns", "name,ops"]),
    "a table": (
        '[{}.table.rename]\nops = "MACs, all"\nparams = "#params"',
        NIN,
        [*NIN, "--rename", "ops=MACs, all", "--rename", "params=#params"],
    ),
    "a number": ("[{}.table]\ntop = 2", NIN, [*NIN, "--top", "2"]),
    "an option that only some have": ("[{}]\ntop = 2", ["grid"], ["grid"]),
    "underscores": ("[{}.grid]\nc_in = 64", ["grid"], ["grid", "--c-in", "64"]),
    "hyphens": ("[{}.grid]\nc-in = 64", ["grid"], ["grid", "--c-in", "64"]),
    "false": ("[{}]\nwide = false", NIN, NIN),
    "a command and an option of one name": (
        "[{}.grid]\nc-in = 64\n[{}.factorize]\ngrid = 14",
        ["factorize"],
        ["factorize", "--grid", "14"],
    ),
    "a default that does nothing here": ("[{}.grid]\nc-in = 64", ["grid", "nin"], ["grid", "nin"]),
    "a label where there is none": ('[{}.table]\nlabel = "tab:x"', NIN, NIN),
    "left out": ('[{}]\nformat = "csv"', [*NIN, "--no-defaults"], NIN),
    "no table of ours": ('[tool.other]\nx = "costlab defaults"', NIN, NIN),
}


@pytest.mark.parametrize("case", SAME)
def test_a_default_does_what_the_option_does(case, project, capsys):
    text, argv, same = SAME[case]
    expected = printed(same, capsys)
    project(text.replace("{}", TABLE))
    assert printed(argv, capsys) == expected


def test_a_flag_of_the_file_is_on(project, monkeypatch):
    from costlab.cli._parser import parse

    assert not parse(NIN).wide
    project(f"[{TABLE}]\nwide = true")
    assert parse(NIN).wide and parse(["grid"]).wide


def test_the_suffix_of_a_file_wins_over_a_default_of_the_format(project, tmp_path, capsys):
    project(f'[{TABLE}]\nformat = "csv"')
    printed([*NIN, "-o", "nin.json"], capsys)
    assert json.loads((tmp_path / "nets/nin.json").read_text())["title"] == "nin_cifar10"


def test_an_option_that_must_be_given_can_have_a_default(project, capsys):
    project(f'[{TABLE}.sweep]\nover = ["batch=1"]\njobs = 1\nformat = "json"')
    rows = json.loads(printed(["sweep", "nin_cifar10"], capsys))["rows"]
    assert [row["batch"] for row in rows] == [1]


def test_the_nearest_file_with_defaults_holds(project, tmp_path, capsys):
    project(f'[{TABLE}]\nformat = "csv"')
    nearer = tmp_path / "nets/pyproject.toml"
    nearer.write_text('[project]\nname = "costlab-user"\n# no defaults')
    assert printed(NIN, capsys).startswith("id,type")
    nearer.write_text(f'[{TABLE}]\nformat = "md"')
    assert printed(NIN, capsys).startswith("**nin\\_cifar10**")


def test_the_doctor_names_the_file(project, capsys):
    def found():
        return {
            row["name"]: row["found"]
            for row in json.loads(printed(["doctor", "--format", "json"], capsys))["rows"]
        }

    assert found()["defaults"] == "none"
    project(f"[{TABLE}]\nwide = true")
    assert found()["defaults"] == "../pyproject.toml"


def test_a_project_with_budgets_may_have_defaults_too(project, tmp_path, capsys):
    project(
        f'[{TABLE}.check]\nformat = "csv"\n[[tool.costlab.model]]\nmodel = "nin_cifar10"\n'
        'limits = ["params <= 1M"]'
    )
    assert printed(["check", "../pyproject.toml"], capsys).startswith("model,limit,verdict")


WRONG = {
    "an option": (
        '[{}.table]\nstyel = "paper"',
        "[{}.table]: unknown option 'styel'; did you mean style?",
    ),
    "no option": (
        "[{}.table]\nzzz = 1",
        "[{}.table]: unknown option 'zzz'; see costlab table --help",
    ),
    "an option of all": ("[{}]\nwied = true", "[{}]: unknown option 'wied'; did you mean wide?"),
    "a command": ("[{}.tabel]\nwide = true", "[{}]: unknown command 'tabel'; did you mean table?"),
    "a choice": (
        '[{}.table]\nby = "layr"',
        "[{}.table]: by: unknown 'layr'; choose operator, module",
    ),
    "a near choice": ('[{}]\nmode = "trian"', "[{}]: mode: unknown 'trian'; did you mean train?"),
    "no number": ('[{}.table]\ntop = "many"', "[{}.table]: top: 'many' is not a whole number"),
    "a flag": ('[{}]\nwide = "yes"', "[{}]: wide: write true or false"),
    "no flag": (
        "[{}.table]\nstyle = true",
        "[{}.table]: style: this option takes a value, not true",
    ),
    "a file to write": ('[{}]\noutput = "t.csv"', "[{}]: unknown option 'output'"),
    "no table": ("[tool.costlab]\ndefaults = 3", "{} is a table: write [{}]"),
    "no TOML": ("[{}\n", "../pyproject.toml: "),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_a_default_is_one_line_that_names_the_file(case, project, capsys):
    text, line = (words.replace("{}", TABLE) for words in WRONG[case])
    project(text)
    said = refusal(NIN, capsys)
    assert "../pyproject.toml" in said and line in said
    printed([*NIN, "--no-defaults"], capsys)  # which does without the file
