"""SARIF 2.1.0 (OASIS, 2020), which GitHub's code scanning and editors read."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from ...tables.findings import Finding, Findings

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# (level, kind) of a result, sections 3.27.9 and 3.27.10: a level other than none is of a fail
_KINDS = {
    "passed": ("none", "pass"),
    "failed": ("error", "fail"),
    "error": ("error", "fail"),
    "skipped": ("none", "notApplicable"),
}


def sarif(findings: Findings) -> str:
    """The log of one run."""
    names = list(findings.rules)
    rules = [
        {"id": name, "shortDescription": {"text": says}} for name, says in findings.rules.items()
    ]
    driver = {"name": findings.tool, "version": findings.version, "rules": rules}
    results = [_result(finding, names.index(finding.rule)) for finding in findings.found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    level, kind = _KINDS[finding.outcome]
    said = (f"{finding.group}: {finding.message}", *finding.details)
    place = {
        "artifactLocation": {"uri": urllib.parse.quote(finding.path.replace("\\", "/"))},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": level,
        "kind": kind,
        "message": {"text": "\n".join(said)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"limit/v1": f"{finding.group}/{finding.name}"},
    }
