"""Workflow commands of GitHub Actions, which annotate a line of a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from ...tables.findings import Finding, Findings

_COMMANDS = {"failed": "error", "error": "error", "skipped": "notice"}


def github(findings: Findings) -> str:
    """A line for each finding that did not pass."""
    lines = [_line(f) for f in findings.found if f.outcome in _COMMANDS]
    return "".join(f"{line}\n" for line in lines)


def _line(finding: Finding) -> str:
    properties = {
        "file": finding.path,
        "line": str(finding.line),
        "title": f"{finding.group}: {finding.name}",
    }
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = "\n".join((finding.message, *finding.details))
    return f"::{_COMMANDS[finding.outcome]} {said}::{_data(message)}"


def _data(text: str) -> str:
    """The message of a command: `%` and line ends escaped, as actions/toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property, where colons and commas end it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
