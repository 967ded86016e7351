"""The command line as a whole: its help, its messages, and what it refuses before any work."""

import re
import shlex
import time

import pytest

import costlab
from costlab import cli
from costlab.cli import _progress
from costlab.cli._parser import GROUPS
from pages import DOCS, read

PARSER, PARSERS = cli.parsers()


def test_help_has_every_command_under_one_question_with_an_example():
    text = PARSER.format_help()
    assert [group.word for group in GROUPS] == ["count", "explain", "change", "measure", "publish"]
    for group, part in zip(GROUPS, re.split(r"\n\n(?=\w+: )", text)[-len(GROUPS) :], strict=True):
        first, *lines = part.splitlines()
        assert first == f"{group.word}: {group.question}"
        commands = [line.split()[0] for line in lines[: len(group.commands)]]
        assert commands == [*group.commands]
        assert lines[len(group.commands)] == f"  example: {PARSERS[group.commands[0]].example}"
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_help_of_a_command_says_what_it_does_and_ends_with_its_example(command):
    parser = PARSERS[command]
    text = parser.format_help()
    assert f"{parser.summary[1:]}." in text
    assert text.endswith(f"\nexample:\n  {parser.example}\n")
    cli.parsers()[0].parse_args(shlex.split(parser.example)[1:])


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_page_of_a_command_runs_the_example_of_its_help(command):
    """Of a trace in the repository, where the help names one in the working folder."""
    page = read(DOCS / "commands" / f"{command}.md")
    text = "\n".join(block.text for block in page.blocks if block.language == "console")
    commands = re.findall(r"^\$ (.*)", re.sub(r"\\\n\s*", "", text), re.M)
    plain = [re.sub(r"\S*/(\w+)\S*(\.trace)", r"\1\2", c.partition(" | ")[0]) for c in commands]
    assert PARSERS[command].example in plain


BROKEN = """\
from torch import nn


def build():
    sizes = {"depth": 3}
    return nn.Linear(sizes["width"], 3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = self.fc(x)
        return x.view(3, 3)
"""


def run(*argv, code=2):
    """The exit code is `code`."""
    assert cli.main([str(word) for word in argv]) == code


@pytest.fixture
def broken(tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "factory, error, line, statement",
    [
        ("build", "building net.py:build failed: KeyError: 'width'", 6, "nn.Linear(sizes"),
        ("Net", "the model failed in Net: RuntimeError: ", 16, "return x.view(3, 3)"),
    ],
)
def test_an_error_in_the_users_code_names_its_line(factory, error, line, statement, broken, capsys):
    argv = ("table", f"net.py:{factory}", "--input", "1x8")
    run(*argv)
    said = capsys.readouterr().err
    assert said.startswith(f"costlab: {error}") and said.count("\n") == 1
    assert f"(net.py:{line}" in said
    run(*argv, "--traceback")
    *calls, last = capsys.readouterr().err.splitlines(keepends=True)
    assert last == said
    assert calls[0] == "Traceback (most recent call last):\n"
    assert any(f'net.py", line {line}, in ' in c for c in calls)
    assert any(statement in c for c in calls)


def test_quiet_leaves_results_and_errors(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    made = tmp_path / "a.trace"
    operations = len(costlab.trace("alexnet").ops)
    for words in ([], ["-q"], ["--quiet"]):
        run("trace", "alexnet", "-o", made, *words, code=0)
        said = capsys.readouterr().out
        assert said == ("" if words else f"{made}: {operations} operations of alexnet\n")
    run("sweep", "alexnet", "--over", "batch=1,2", "--jobs", 1, code=0)
    loud = capsys.readouterr()
    assert "2 of 2 configurations" in loud.err
    run("sweep", "alexnet", "--over", "batch=1,2", "--jobs", 1, "-q", code=0)
    assert capsys.readouterr() == (loud.out, "")
    run("table", "alexnett", "-q")
    assert capsys.readouterr().err.startswith("costlab: unknown model 'alexnett'")


def test_what_takes_long_is_shown_while_it_runs(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(_progress, "_LATER", 0.01)
    with _progress.working("tracing net"):
        time.sleep(0.2)
    assert capsys.readouterr().err == "\r\033[Ktracing net ...\r\033[K"
    with _progress.silence(True), _progress.working("tracing net"):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""
