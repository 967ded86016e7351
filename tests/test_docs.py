"""Every command and block of code in README and docs/ runs, and prints what the page shows."""

import re
from collections import defaultdict

import pytest
import reference
from page_blocks import pictures, rendered, update
from pages import DOCS, PageError, paths, read

import costlab
from costlab.cli._parser import COMMANDS

HOW = "run `make docs-update`"

# the blocks that cannot run here, by page, with the reason that stands above each
NOT_RUN = {
    "README.md": ["they install packages"],
    "docs/commands/calibrate.md": [
        "measures for five minutes, on a GPU",
        "needs the file of a device",
    ],
    "docs/explanation/accuracy.md": ["takes five minutes"],
    "docs/how-to/cluster-sweep.md": ["needs a cluster"],
    "docs/how-to/gpu.md": ["needs a GPU", "needs a GPU"],
    "docs/how-to/predict-time.md": ["needs the file of a device"] * 2,
    "docs/how-to/pull-requests.md": ["tests/test_pytest_plugin.py runs such a test"],
    "docs/how-to/training.md": ["tests/test_callbacks.py runs it in a training"] * 2,
    "docs/models.md": ["needs open_clip"],
}


# what a newcomer reads first, and a page of each kind of block; the others are slow
QUICK = {
    "README.md",
    "docs/commands/check.md",
    "docs/commands/list.md",
    "docs/commands/table.md",
    "docs/explanation/tracing.md",
    "docs/how-to/own-operation.md",
    "docs/index.md",
    "docs/tutorial/googlenet.md",
    "docs/tutorial/index.md",
    "docs/tutorial/pointwise.md",
}


def as_case(path):
    page = read(path)
    runs = any(block.not_run is None for block in page.blocks)
    return pytest.param(
        page, id=page.name, marks=[pytest.mark.slow] * (runs and page.name not in QUICK)
    )


def test_the_pages_of_each_run_are_there():
    assert {read(path).name for path in paths()} >= QUICK


@pytest.mark.parametrize("page", [as_case(p) for p in paths()])
def test_a_page_shows_what_its_blocks_print(page, tmp_path):
    assert rendered(page, tmp_path) == page.text, HOW
    for place, data in pictures(page, tmp_path):
        assert place.read_bytes() == data, f"{place} is stale: {HOW}"


def test_what_is_not_run_is_listed_with_its_reason():
    found = defaultdict(list)
    for page in map(read, paths()):
        for block in page.blocks:
            if block.not_run is not None:
                found[page.name].append(block.not_run)
    assert dict(found) == NOT_RUN


def test_every_picture_is_drawn_by_a_page_that_shows_it():
    drawn = set()
    for page in map(read, paths()):
        commands = "".join(b.text for b in page.blocks if b.not_run is None)
        drawn |= {name for name in page.pictures if name in commands}
    assert drawn == {p.name for p in (DOCS / "images").glob("*")}


@pytest.mark.parametrize("path, text", [*reference.pages()], ids=lambda v: getattr(v, "name", ""))
def test_the_reference_is_that_of_the_code(path, text):
    assert path.read_text() == text, HOW


def test_the_reference_has_every_public_name_once():
    names = [name for section in reference.SECTIONS.values() for name in section]
    assert sorted(names) == sorted({*costlab.__all__} - {"__version__"})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_a_command_names_no_option_that_is_not_there(command):
    """That it names every option follows from the part that is generated."""
    path = DOCS / "commands" / f"{command}.md"
    prose, _, rest = path.read_text().partition(reference.START)
    prose += rest.partition(reference.END)[2]
    known = {
        flag for action in reference.parsers()[command]._actions for flag in action.option_strings
    }
    named = {
        flag
        for words in re.findall(r"`([^`\n]+)`", prose)
        if not words.startswith("costlab ") or words.startswith(f"costlab {command} ")
        for flag in re.findall(r"(?<![\w-])(--[a-z][a-z-]*)", words)
    }
    assert named <= known


def test_the_counts_of_the_readme_are_those_of_the_page_on_counters():
    """That page runs the benchmark, in a slow test."""
    rows = re.compile(r"^\| \w+ +(?:\| +\d+\.\d{3} ){4}\|$", re.M)
    shown = rows.findall(read(DOCS.parent / "README.md").text)
    assert len(shown) == 9
    assert shown == rows.findall(read(DOCS / "explanation" / "counters.md").text)


def test_the_readme_is_short():
    assert read(DOCS.parent / "README.md").text.count("\n") < 150


def page_of(folder, text):
    path = folder / "page.md"
    path.write_text(text)
    return read(path)


def run(folder, text):
    (folder / "run").mkdir()
    return rendered(page_of(folder, text), folder / "run")


@pytest.mark.parametrize(
    "before, after",
    [
        # stale output, and none
        ("```console\n$ echo 1\n2\n```\n", "```console\n$ echo 1\n1\n```\n"),
        ("```python\nprint(1)\n```\n", "```python\nprint(1)\n```\n\n```text\n1\n```\n"),
        (
            "```python\nx = 1\n```\n\n```python\nprint(x)\n```\n\n```text\n2\n```\n",
            "```python\nx = 1\n```\n\n```python\nprint(x)\n```\n\n```text\n1\n```\n",
        ),
        # a command over two lines, a pipe, a failure that is shown
        (
            "```console\n$ costlab list \\\n | grep -c -w vgg16\n$ false\n$ echo $?\n```\n",
            "```console\n$ costlab list \\\n | grep -c -w vgg16\n1\n$ false\n$ echo $?\n1\n```\n",
        ),
        # the build of torch and what varies are not compared
        ("```console\n$ echo torch 2.13.0+cpu\ntorch 2.13.0+cu130\n```\n", None),
        ("<!-- output varies: a time -->\n```console\n$ date\nnoon\n```\n", None),
        ("<!-- not run: no GPU -->\n```console\n$ nvidia-smi\n```\n", None),
        # a file of the page
        ('```toml title="a/b.toml"\nx = 1\n```\n\n```console\n$ cat a/b.toml\nx = 1\n```\n', None),
    ],
)
def test_blocks_are_filled_with_what_they_print(before, after, tmp_path):
    assert run(tmp_path, before) == (after or before)


@pytest.mark.parametrize(
    "text, message",
    [
        ("\n```console\n$ costlab tabel\n```\n", r"page\.md:2: exit code 2 of: costlab tabel\n"),
        ("```console\n$ false\n$ true\n```\n", r"exit code 1 of: false"),
        ("```console\ncostlab list\n```\n", "has commands after"),
        ("```python\n\n1 / 0\n```\n", r'page\.md", line 3(.|\n)*ZeroDivisionError'),
        ("```json\n{}\n```\n", "block of json needs a title or a reason"),
        ("```\ntext\n```\n", "block of no language needs"),
        ("- list\n\n  ```console\n  $ true\n  ```\n", "line 3: a block in a list"),
        ("<!-- colums: 100 -->\n```console\n$ true\n```\n", "no comment is called colums"),
    ],
)
def test_a_block_that_fails_names_its_line(text, message, tmp_path):
    with pytest.raises(PageError, match=message):
        run(tmp_path, text)


def test_the_updater_writes_the_page_and_then_changes_nothing(tmp_path):
    path = tmp_path / "page.md"
    path.write_text("```console\n$ echo 1\n```\n")
    assert update(read(path))
    assert path.read_text() == "```console\n$ echo 1\n1\n```\n"
    assert not update(read(path))


def test_links_out_of_docs_lead_to_files():
    """Links between pages are checked by `make docs`."""
    for path in paths():
        for target in re.findall(r"\]\(((?:\.\./)+[^)#\s]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path}: no {target}"
