"""Run the blocks of README and docs/, and write what they print.

    python docs/_tools/page_blocks.py [PAGE ...]    # all pages by default

Commands of costlab run in this process, as in a terminal of 80 columns; other commands run in
bash. Each page has a folder of its own and one Python session. A command that fails must be
followed by `$ echo $?`. tests/test_docs.py runs the same and compares.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pages import DOCS, ROOT, Block, Page, PageError, paths, read

# what differs from machine to machine, and is not compared
_VARIES = (
    (re.compile(r"\b(\d+\.\d+\.\d+)\+(cpu|cu\d+)\b"), r"\1"),  # the build of torch
    (re.compile(r"\([0-9a-f]{7}\)"), "()"),  # a commit
    (re.compile(r"\b\d\.\de-\d\d\b"), "0"),  # an error of rounding
)
_STYLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_GIT = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in {
        "NAME": "You",
        "EMAIL": "you@example.com",
        "DATE": "2026-11-27T12:00:00+0000",
    }.items()
}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Session:
    """The folder, the Python names and the last exit code of a page that runs."""

    page: Page
    folder: Path
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})
    exit_code: int = 0


def rendered(page: Page, folder: Path) -> str:
    """The page's text with what its blocks print now; it runs in `folder`, which is empty.

    Raises PageError where a block fails or cannot be understood."""
    if "generated" in page.comments:
        return page.text
    session = Session(page, folder)
    for name in filter(None, re.split(r",\s*", page.comments.get("uses", ""))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        example = DOCS / "examples" / name
        shutil.copy(example if example.is_file() else ROOT / name, folder / name)
    lines = page.text.splitlines(keepends=True)
    changes: list[tuple[int, int, str]] = []
    with _in_folder(folder):
        blocks = iter(enumerate(page.blocks))
        for i, block in blocks:
            following = page.blocks[i + 1] if i + 1 < len(page.blocks) else None
            output = following if following and _is_output(following) else None
            changes += _changes(session, block, output)
            if block.language == "python" and output:
                next(blocks)
    for start, end, text in reversed(changes):
        if _alike(text) != _alike("".join(lines[start:end])):
            lines[start:end] = [text]
    return "".join(lines)


def _is_output(block: Block) -> bool:
    return block.language == "text" and block.follows and not block.title and not block.not_run


def _alike(text: str) -> str:
    for pattern, kept in _VARIES:
        text = pattern.sub(kept, text)
    return text


def _changes(
    session: Session, block: Block, output: Block | None
) -> Iterator[tuple[int, int, str]]:
    """The lines that a block fills, as (first, past the last, text)."""
    if block.not_run is not None:
        return
    if block.title:
        file = session.folder / block.title
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
    elif block.language == "console":
        shown = _transcript(session, block)
        if "output varies" not in block.comments:
            yield block.start, block.end, shown
    elif block.language == "python":
        shown = _clean(_python(session, block))
        if "output varies" in block.comments:
            return
        if output:
            yield output.start, output.end, shown
        elif shown:
            yield block.end + 1, block.end + 1, f"\n```text\n{shown}```\n"
    else:
        raise session.page.error(
            block, f"a block of {block.language or 'no language'} needs a title or a reason"
        )


def _clean(text: str) -> str:
    """Without colours and spaces at the ends of lines."""
    lines = (line.rstrip() for line in _STYLE.sub("", text).rstrip().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _transcript(session: Session, block: Block) -> str:
    """The block's commands, each with what it prints."""
    commands = _commands(block)
    if not commands:
        raise session.page.error(block, "a console block has commands after '$ '")
    parts: list[str] = []
    os.environ["COLUMNS"] = block.comments.get("columns", "80")
    for i, command in enumerate(commands):
        shown = _clean(_command(session, command))
        parts += [f"$ {command}\n", shown]
        later = commands[i + 1] if i + 1 < len(commands) else None
        if session.exit_code and later != "echo $?":
            code = session.exit_code
            raise session.page.error(block, f"exit code {code} of: {command}\n{shown}")
    return "".join(parts)


def _commands(block: Block) -> list[str]:
    """The commands, with the lines that a backslash continues them on."""
    joined = re.findall(r"^\$ ((?:.*\\\n)*.*)$", block.text, re.M)
    return [command.rstrip("\n") for command in joined]


def _command(session: Session, command: str) -> str:
    """What a command prints; sets the exit code."""
    own, _, rest = command.partition(" | ")
    if command == "echo $?":
        shown, session.exit_code = f"{session.exit_code}\n", 0
        return shown
    words = shlex.split(own.replace("\\\n", " "), comments=True)
    if words[0] != "costlab":
        return _shell(session, command)
    if not rest:
        return _costlab(session, words[1:], _Terminal())
    piped = _costlab(session, words[1:], io.StringIO())
    return _shell(session, rest, piped)


def _costlab(session: Session, words: Sequence[str], out: io.StringIO) -> str:
    from costlab import cli

    errors = io.StringIO() if out.isatty() else sys.stderr
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            session.exit_code = cli.main(words)
        except SystemExit as e:
            session.exit_code = int(e.code or 0)
    return out.getvalue() + (errors.getvalue() if isinstance(errors, io.StringIO) else "")


def _shell(session: Session, command: str, given: str = "") -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    session.exit_code = done.returncode
    return done.stdout


def _python(session: Session, block: Block) -> str:
    """What a block prints."""
    os.environ["COLUMNS"] = block.comments.get("columns", "80")
    out = io.StringIO()
    code = compile("\n" * block.start + block.text, session.page.name, "exec")
    with contextlib.redirect_stdout(out):
        try:
            exec(code, session.names)
        except Exception:
            raise session.page.error(block, traceback.format_exc()) from None
    return out.getvalue()


@contextlib.contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Run in a folder; paths, modules, formulas and the environment are put back."""
    from costlab.cost.registry import REGISTRY

    here, environment, path, modules = os.getcwd(), dict(os.environ), [*sys.path], {*sys.modules}
    formulas = dict(REGISTRY.formulas)
    tools = os.path.dirname(sys.executable)
    os.environ |= {**_GIT, "GIT_CONFIG_GLOBAL": os.devnull, "LINES": "40", "TERM": "xterm"}
    os.environ |= {"NO_COLOR": "1", "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    os.environ["PYTHONPATH"] = str(ROOT)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:] = path
        REGISTRY.formulas = formulas
        REGISTRY.version += 1
        for name in {*sys.modules} - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]


def pictures(page: Page, folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The pictures that a page shows and its commands have made, with their places in docs."""
    for name in page.pictures:
        if (folder / name).is_file():
            yield DOCS / "images" / name, (folder / name).read_bytes()


def update(page: Page) -> bool:
    """Write what a page's blocks print, and the pictures they draw; whether anything changed."""
    with tempfile.TemporaryDirectory() as folder:
        text = rendered(page, Path(folder))
        changed = text != page.text
        page.path.write_text(text, encoding="utf-8")
        for place, data in pictures(page, Path(folder)):
            changed |= not place.exists() or place.read_bytes() != data
            place.write_bytes(data)
    return changed


def main(names: Sequence[str]) -> int:
    """Update the pages that are named, or all."""
    failed = 0
    for path in [Path(name).resolve() for name in names] or paths():
        try:
            page = read(path)
            print(f"{page.name}: {'updated' if update(page) else 'as it was'}", flush=True)
        except PageError as e:
            failed = 1
            print(textwrap.indent(str(e), "  "), file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
