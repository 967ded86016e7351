"""JUnit XML, as pytest writes it and as GitLab, Jenkins and Azure read it: a suite a model, a case
a limit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from ...tables.findings import Finding, Findings

# what XML 1.0 cannot hold, escaped or not
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"failed": "failure", "error": "error", "skipped": "skipped"}


def junit(findings: Findings) -> str:
    """The document."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings.found:
        groups.setdefault(finding.group, []).append(finding)
    root = ElementTree.Element("testsuites", _counts(findings.tool, findings.found))
    for name, found in groups.items():
        suite = ElementTree.SubElement(root, "testsuite", _counts(name, found))
        for finding in found:
            suite.append(_case(finding))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _counts(name: str, found: Sequence[Finding]) -> dict[str, str]:
    counts = Counter(finding.outcome for finding in found)
    return {
        "name": _text(name),
        "tests": str(len(found)),
        "failures": str(counts["failed"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{sum(finding.seconds for finding in found):.3f}",
    }


def _case(finding: Finding) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_text(finding.group),
        name=_text(finding.name),
        file=_text(finding.path),
        line=str(finding.line),
        time=f"{finding.seconds:.3f}",
    )
    if finding.outcome in _ELEMENTS:
        kind, message = _ELEMENTS[finding.outcome], _text(finding.message)
        inside = ElementTree.SubElement(case, kind, message=message, type=_text(finding.rule))
        inside.text = _text("\n".join((finding.message, *finding.details)))
    return case


def _text(text: str) -> str:
    """A text without the characters that XML cannot hold, each as U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)
