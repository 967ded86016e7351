"""What would take all memory or time: refused in one line, or shortened with a note."""

import itertools
import json
import os
import struct
import time
import tracemalloc
import zlib

import pytest
import torch
from torch.nn import functional

import costlab
from costlab.analysis import sweep as sweeping
from costlab.analysis.sweep import JournalError, journal
from costlab.cli import main
from costlab.predict.calibration import journal as calibration_journal
from costlab.render.cells import columns
from costlab.report.errors import ReportError
from costlab.report.logo import read_logo
from costlab.tables import Column, Sheet
from costlab.tables.sheet import MOST_ROWS
from costlab.trace import files

ROWS = MOST_ROWS + 5
FORMATS = ("text", "md", "html", "latex")


def sheet(rows):
    return Sheet("a title", (Column("n", "count"),), tuple({"n": i} for i in range(rows)))


@pytest.mark.parametrize("format", FORMATS)
def test_a_table_for_people_has_a_limit(format):
    from costlab.render import FORMATS as RENDERERS

    said = "the first 10,000 of 10,005 rows; CSV, JSON and Parquet have all"
    whole, long = (RENDERERS[format](sheet(n)) for n in (MOST_ROWS, ROWS))
    assert said not in " ".join(whole.split()) and said in " ".join(long.split())
    assert "9999" in long.replace(",", "") and "10004" not in long.replace(",", "")


def test_a_table_of_many_rows_takes_time_in_their_number():
    """With shares, whose bars are in the scale of the largest: 32 times the rows, and 1,024 times
    the time would be quadratic. What others do with the processor may make it ten times as long."""

    def seconds(rows):
        column = Column("n", "count", share=True)
        many = Sheet("", (column,), tuple({"n": i} for i in range(rows)), total={"n": rows})
        begin = time.process_time()
        columns(many)
        return time.process_time() - begin

    seconds(1000)
    assert seconds(32_000) < 10 * 32 * seconds(1000)


def test_a_table_for_machines_has_all_rows():
    from costlab.render import FORMATS as RENDERERS

    assert len(json.loads(RENDERERS["json"](sheet(ROWS)))["rows"]) == ROWS
    assert RENDERERS["csv"](sheet(ROWS)).count("\n") == ROWS + 1  # the header


@pytest.mark.parametrize(
    "over, count",
    [
        (["resolution=1..999999999"], "31,250,000"),  # ceil(999,999,999 / 32)
        (["batch=1..999999999:1"], "999,999,999"),
        (["batch=1..1000:1", "resolution=32..32032:32"], "1,001,000"),  # 1000 x 1001
    ],
)
def test_a_sweep_of_too_many_configurations(over, count, capsys):
    argv = [word for item in over for word in ("--over", item)]
    assert main(["sweep", "nin", *argv]) == 2
    err = capsys.readouterr().err
    assert err == (
        f"costlab: --over asks for {count} configurations, and a sweep runs 100,000 at most; give "
        "larger steps or fewer values\n"
    )


@pytest.mark.parametrize(
    "over, wanted",
    [
        ({"batch": range(1, 10**9)}, "1,999,999,998"),  # of each of two models
        ({"batch": range(1, 1001), "resolution": range(32, 82)}, "100,000"),  # 2 x 1000 x 50
        ({"batch": itertools.count(1)}, "200,002"),  # as far as it is read, twice
    ],
)
def test_a_sweep_in_python_of_too_many_configurations(over, wanted, monkeypatch):
    """100,000 are as many as there may be: the next step is stopped here."""
    reached = []
    monkeypatch.setattr(sweeping, "configurations", lambda *_, **__: reached.append(1) or [])
    monkeypatch.setattr(sweeping, "sweep", lambda *_, **__: None)
    if wanted == "100,000":
        costlab.sweep("nin", "vgg16", over=over)
        assert reached
        return
    with pytest.raises(ValueError, match=f"asks for {wanted} configurations, and a sweep runs 100"):
        costlab.sweep("nin", "vgg16", over=over)
    assert not reached


def test_a_journal_has_a_limit(tmp_path, monkeypatch):
    """Two lines fit; the third one is not written, and the two can be read again."""
    path = str(tmp_path / "j.jsonl")
    lines = [journal.Outcome({"model": "nin", "batch": i}, {"macs": i}) for i in range(3)]
    with journal.Journal(path) as stream:
        stream.write(lines[0])
    size = os.path.getsize(path)
    monkeypatch.setattr(journal, "MOST_BYTES", 2 * size)
    with journal.Journal(path) as stream:
        stream.write(lines[1])
        with pytest.raises(JournalError, match=r"j.jsonl: a journal holds 0 MiB at most; name"):
            stream.write(lines[2])
    with journal.Journal(path) as stream:
        assert len(stream.outcomes) == 2
    monkeypatch.setattr(journal, "MOST_VALUES", 5)
    with pytest.raises(JournalError, match="a journal holds 5 values at most"):
        journal.Journal(path)
    monkeypatch.setattr(journal, "MOST_BYTES", size)
    with pytest.raises(JournalError, match="0 MiB at most"):
        journal.Journal(path)


def test_the_journal_of_a_calibration_has_a_limit(tmp_path, monkeypatch):
    path = tmp_path / "a.part"
    path.write_text("{}\n" * 100)
    monkeypatch.setattr(calibration_journal, "MOST_BYTES", 200)
    with pytest.raises(ValueError, match="a.part holds more than 0 MiB, the most"):
        calibration_journal.read_journal(str(path))


def test_a_trace_that_could_not_be_read_again_is_not_written(tmp_path, monkeypatch):
    trace = costlab.trace(torch.nn.Linear(2, 2), torch.rand(1, 2))
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match="x.trace holds more than 0 MiB, the most"):
        trace.save(tmp_path / "x.trace")
    assert not list(tmp_path.iterdir())


# operations on a billion positions, by what would be worked out for each of them
HUGE = 10**9
MANY = {
    "convolution": lambda x: functional.conv1d(x, torch.empty(4, 4, 3, device="meta"), padding=1),
    "a wide kernel": lambda x: functional.conv1d(x, torch.empty(4, 4, HUGE // 2, device="meta")),
    "pool": lambda x: functional.max_pool1d(x, 2),
    "mean": lambda x: functional.adaptive_avg_pool1d(x, 10),
    "half": lambda x: x[..., : HUGE // 2] + 1,
    "flipped": lambda x: x.flip(-1) + 1,
    "padded": lambda x: functional.pad(x, (1, 1)) + 1,
    "joined": lambda x: torch.cat([x, x], -1),
    "larger": lambda x: functional.interpolate(x, scale_factor=2.0),
    "flat": lambda x: x.flatten() + 1,
}


@pytest.mark.parametrize("name", MANY)
def test_a_huge_tensor_takes_no_memory(name, tmp_path):
    """One array of positions would be 8 GB; what this takes is measured, all of Python's and
    numpy's."""

    class Net(torch.nn.Module):
        def forward(self, x):
            return MANY[name](x)

    x = torch.empty(1, 4, HUGE, device="meta")
    trace = costlab.trace(Net(), x, device="meta")
    trace.save(tmp_path / "x.trace")
    tracemalloc.start()
    try:
        again = costlab.Trace.load(tmp_path / "x.trace")
        str(costlab.table(again, columns=["receptive field"]))
        costlab.diagram(again)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 50 * 2**20


def test_a_printed_row_that_is_repeated_without_end(tmp_path):
    """300,000 rows are not written out: the text is the type of one row."""
    path = tmp_path / "mine.csv"
    path.write_text("type,params\nconvolution,34.8K\n300000xconvolution,1M\n")
    audit = costlab.audit("nin", against=path)
    assert len(audit.cells) < 10


SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
# what stands in a logo, and what the line says
LOGOS = {
    "<script>alert(1)</script>": "has <script>",
    "<foreignObject/>": "has <foreignObject>",
    '<image href="http://x/a.png"/>': "has <image>",
    '<a href="http://x"><text>a</text></a>': "has <a>",
    '<filter><feTurbulence numOctaves="99999999"/></filter>': "has <filter>",
    '<rect onload="alert(1)"/>': "has onload=",
    '<use href="other.svg#a"/>': "refers to another file",
    '<use xlink:href="/etc/passwd"/>': "refers to another file",
    '<rect fill="url(http://x)"/>': "refers to another file",
    "<style>@import 'http://x/a.css';</style>": "refers to another file",
    '<rect style="fill: url(&quot;http://x&quot;)"/>': "refers to another file",
    "<style>.a { fill: u\\72l(http://x) }</style>": "refers to another file",
    '<use href="#a"/>' * 17: "has more than 16 elements <use>",
}


@pytest.mark.parametrize("inside", LOGOS)
def test_a_logo_is_a_picture_and_nothing_else(inside, tmp_path):
    path = tmp_path / "logo.svg"
    path.write_text(SVG.format(inside))
    with pytest.raises(ReportError) as refused:
        read_logo(str(path))
    assert str(refused.value).startswith(f"the logo {path} {LOGOS[inside]}")


def test_a_logo_without_entities(tmp_path):
    path = tmp_path / "logo.svg"
    path.write_text('<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("<text>&a;</text>"))
    with pytest.raises(ReportError, match="has a document type"):
        read_logo(str(path))


def special_files(folder):
    """By name what a logo may lead to that is no picture."""
    os.mkfifo(folder / "pipe.svg")
    (folder / "folder.svg").mkdir()
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "itself.svg").symlink_to("itself.svg")
    (folder / "passwd.svg").symlink_to("/etc/passwd")
    (folder.parent / "secret.txt").write_text("a secret")
    (folder / "large.png").write_bytes(png(8, 8))
    os.truncate(folder / "large.png", 2**30)
    (folder / "deep.svg").write_text(SVG.format("<g>" * 5000 + "</g>" * 5000))


@pytest.mark.parametrize(
    "name, says",
    [
        ("pipe.svg", "pipe.svg is not a file"),
        ("folder.svg", "folder.svg is not a file"),
        ("zero.png", "zero.png is not a file"),
        ("itself.svg", "there is no file"),
        ("passwd.svg", "is damaged: not what .svg says"),
        ("../secret.txt", "is not an .svg, .png or .jpg file"),
        ("large.png", "has more than 4 MiB"),
        ("deep.svg", "is nested more than 100 deep"),
    ],
)
@pytest.mark.parametrize("out", ["r.html", "r.pdf"])
def test_a_logo_is_a_file_of_a_picture(name, says, out, tmp_path, capsys):
    """No pipe is waited for, and nothing of another file is in the report."""
    special_files(tmp_path)
    config = tmp_path / "r.toml"
    config.write_text(f"models = ['nin_cifar10']\nlogo = '{name}'\nsections = ['summary']\n")
    assert main(["report", "--config", str(config), "-o", str(tmp_path / out)]) == 2
    err = capsys.readouterr().err
    assert says in err and err.count("\n") == 1 and len(err) < 500
    assert not (tmp_path / out).exists()


def test_a_plain_logo_is_taken(tmp_path):
    path = tmp_path / "logo.svg"
    inside = '<defs><linearGradient id="g"/></defs><rect id="a" fill="url(#g)"/><use href="#a"/>'
    path.write_text(SVG.format(inside))
    assert read_logo(str(path)) == (SVG.format(inside).encode(), ".svg")


def png(width, height):
    """The start of a PNG: its signature and the chunk with its size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


def jpeg(width, height):
    """The start of a JPEG: an application's segment, then the frame with its size."""
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\0\0\0"
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 4) + b"ab" + frame


@pytest.mark.parametrize("make, suffix", [(png, ".png"), (jpeg, ".jpg")])
def test_a_logo_of_too_many_points(make, suffix, tmp_path):
    """8,000 x 8,000 points are 64 million, the most there may be."""
    path = tmp_path / f"logo{suffix}"
    path.write_bytes(make(8000, 8000))
    assert read_logo(str(path)) == (make(8000, 8000), suffix)
    for width, height in ((8001, 8000), (0, 5)):
        path.write_bytes(make(width, height))
        with pytest.raises(ReportError, match="more than 64 million points"):
            read_logo(str(path))
