"""The steps of the GitHub Action, with the standard library alone (see action.yml).

`review.py diff` runs `costlab diff` on two revisions: Markdown for the comment, a step summary, an
annotation for each limit that is met. `review.py comment` puts the Markdown into the pull request:
its own comment, found by a hidden marker, is updated, and made where there is none.

What the steps are given is in environment variables.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# GitHub refuses more characters in a comment and more bytes in a step summary; bytes are never
# fewer than characters
COMMENT_BYTES = 65_536
SUMMARY_BYTES = 1_048_576
_SAID = "costlab: "  # how the lines of costlab begin on stderr


def main() -> int:
    """Run one step; 0 unless it is not known."""
    steps = {"diff": diff, "comment": comment}
    if len(sys.argv) != 2 or sys.argv[1] not in steps:
        print(f"usage: review.py {' | '.join(steps)}", file=sys.stderr)
        return 2
    steps[sys.argv[1]]()
    return 0


def diff() -> None:
    """Compare; the exit code of `costlab diff` is an output of the step, and does not end it."""
    markdown = Path(os.environ["RUNNER_TEMP"]) / "costlab-diff.md"
    markdown.unlink(missing_ok=True)
    code, messages = compare(markdown)
    if not markdown.exists():
        markdown.write_text(failure(messages), encoding="utf-8")
    for message in messages.splitlines():
        print(annotation(message) if code and message.startswith(_SAID) else message)
    text = cut(markdown.read_text(encoding="utf-8"), SUMMARY_BYTES, "This is the first part of it.")
    append("GITHUB_STEP_SUMMARY", text)
    append("GITHUB_OUTPUT", f"exit-code={code}\nmarkdown={markdown}\n")


def compare(markdown: Path) -> tuple[int, str]:
    """The exit code of `costlab diff`, which writes the Markdown, and what it says on stderr."""
    base, head = (os.environ[name].strip() for name in ("COSTLAB_BASE", "COSTLAB_HEAD"))
    if not base:
        return 2, f"{_SAID}no base; outside a pull request the input base must name a revision"
    words = command(revision(base), revision(head), markdown)
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr.strip()


def command(base: str, head: str, markdown: Path) -> list[str]:
    """`costlab diff` on two revisions, with the options that were given."""
    options = [f"--model={os.environ['COSTLAB_MODEL']}"]
    for option in ("input", "arg", "fail-on"):
        values = lines(os.environ[f"COSTLAB_{option.upper().replace('-', '_')}"])
        options += [f"--{option}={value}" for value in values]
    output = ["--format=md", f"--output={markdown}"]
    return [sys.executable, "-P", "-m", "costlab", "diff", *options, *output, "--", base, head]


def lines(text: str) -> Iterator[str]:
    """What is in the lines of an input."""
    return (line.strip() for line in text.splitlines() if line.strip())


def revision(name: str) -> str:
    """The name, or the commit where the checkout does not have it and the remote does: a workflow's
    checkout has one commit and no branch of the base."""
    if name == "." or git(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    ):
        return name
    git("fetch", "--quiet", "--no-tags", "--depth=1", "--end-of-options", "origin", name)
    return git("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}") or name


def git(*words: str) -> str:
    """What git prints, "" where it fails."""
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    return "" if done.returncode else done.stdout.strip()


def failure(messages: str) -> str:
    """The Markdown of a comparison that could not be made."""
    indented = "\n".join(f"    {line.removeprefix(_SAID)}" for line in messages.splitlines())
    return f"**costlab diff** could not compare the two revisions:\n\n{indented}\n"


def annotation(message: str) -> str:
    """A line of the log as an error that GitHub shows at the top of the run."""
    escaped = message.removeprefix(_SAID).replace("%", "%25")
    return f"::error title=costlab diff::{escaped}"


def append(variable: str, text: str) -> None:
    """Add to a file that GitHub reads after the step."""
    with open(os.environ[variable], "a", encoding="utf-8") as file:
        file.write(text if text.endswith("\n") else f"{text}\n")


def comment() -> None:
    """Update the comment, or make it. What GitHub refuses is a warning: the summary is there."""
    text = Path(os.environ["COSTLAB_MARKDOWN"]).read_text(encoding="utf-8")
    repository = f"repos/{os.environ['GITHUB_REPOSITORY']}"
    comments = f"{repository}/issues/{os.environ['PULL_REQUEST']}/comments"
    body = f"{marker()}\n{text}"
    body = cut(body, COMMENT_BYTES, f"This is the first part of it; [all]({run_url()}).")
    try:
        known = find(api(f"{comments}?per_page=100", "--paginate"))
        if known is None:
            api(comments, "--method=POST", "--input=-", stdin=json.dumps({"body": body}))
        else:
            where = f"{repository}/issues/comments/{known}"
            api(where, "--method=PATCH", "--input=-", stdin=json.dumps({"body": body}))
    except OSError as e:
        print(f"::warning title=costlab diff::{explained(str(e))}")


def marker() -> str:
    """The first line of the comment on this model with these inputs, which GitHub does not show."""
    names = ("COSTLAB_MODEL", "COSTLAB_INPUT", "COSTLAB_ARG")
    given = json.dumps([os.environ[name].split() for name in names])
    return f"<!-- costlab diff {hashlib.sha256(given.encode()).hexdigest()[:16]} -->"


def run_url() -> str:
    """The page of the workflow run, which shows the step summary."""
    server, repository, run = (
        os.environ[f"GITHUB_{name}"] for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    return f"{server}/{repository}/actions/runs/{run}"


def api(*words: str, stdin: str | None = None) -> str:
    """What `gh api` prints. Raises OSError where it fails, or is not there."""
    done = subprocess.run(["gh", "api", *words], input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def find(pages: str) -> int | None:
    """The id of the first comment with our marker in pages of comments, JSON arrays one after
    another."""
    decoder, rest = json.JSONDecoder(), pages.strip()
    while rest:
        found, end = decoder.raw_decode(rest)
        for one in found:
            if (one["body"] or "").startswith(marker()):
                return one["id"]
        rest = rest[end:].strip()
    return None


def explained(error: str) -> str:
    """Why there is no comment, in one line."""
    first = error.splitlines()[0] if error else "gh failed"
    if "HTTP 403" in error:
        first = (
            f"the token may not comment ({first}): in a pull request from a fork it may only read; "
            "elsewhere the job needs the permission pull-requests: write"
        )
    return f"no comment: {first}; the comparison is in the step summary".replace("%", "%25")


def cut(text: str, limit: int, note: str) -> str:
    """The text, or as many of its lines as are at most `limit` bytes with a note below them."""
    if len(text.encode()) <= limit:
        return text
    tail = f"\n\n{note}\n"
    kept: list[str] = []
    room = limit - len(tail.encode())
    unclosed = 0
    for line in text.splitlines(keepends=True):
        unclosed += line.count("<details") - line.count("</details>")
        room -= len(line.encode())
        if room < len("\n</details>\n") * max(unclosed, 0):
            break
        kept.append(line)
    body = "".join(kept).rstrip()
    unclosed = body.count("<details") - body.count("</details>")
    return body + "\n\n</details>" * unclosed + tail


if __name__ == "__main__":
    sys.exit(main())
