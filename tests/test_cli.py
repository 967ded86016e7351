"""The command line as a whole: its help, its messages, and what it refuses before any work."""

import re
import shlex

import pytest

from costlab import cli
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
