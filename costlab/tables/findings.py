"""The one shape in which checks reach the renderers for machines: JUnit, GitHub, SARIF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "skipped", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was checked. Texts are plain: each renderer escapes what its format needs.

    Attributes:
        group: what it was checked of, such as a model.
        name: what was checked, such as a limit as it was written.
        rule: the kind of check, such as a quantity.
        outcome: "failed" breaks the check, "error" could not be checked, "skipped" need not be.
        message: one line that says what was found.
        details: more lines, for whoever wants to know why.
        path: the file that asks for the check; "" for none. `line` from 1.
        seconds: that it took.
    """

    group: str
    name: str
    rule: str
    outcome: Outcome
    message: str
    details: tuple[str, ...] = ()
    path: str = ""
    line: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Findings:
    """What a run of a command checked.

    Attributes:
        tool: the command.
        version: of costlab.
        rules: what each rule checks, by its name.
    """

    tool: str
    version: str
    rules: dict[str, str]
    found: tuple[Finding, ...]
