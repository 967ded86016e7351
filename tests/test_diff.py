"""`costlab diff`: what changed between two versions, through the command and real commits."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from test_names import renamed
from test_revisions import commit, git
from torch import nn

import costlab
from costlab.cli import main
from costlab.render import terminal

MEASUREMENTS = Path(costlab.__file__).parents[1] / "reports" / "measurements"

NET = """\
from torch import nn

def build(kernel={kernel}):
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.Conv2d(8, 8, kernel, padding=kernel // 2, bias=False),
    )
"""
# the same modules by the names stem and body
NAMES = """\
from torch import nn

class Named(nn.Module):
    def __init__(self, stem, body):
        super().__init__()
        self.stem, self.body = stem, body

    def forward(self, x):
        return self.body(self.stem(x))

"""
# 64 positions of an 8x8 input: 3 -> 8 channels by 3x3, then 8 -> 8 by 3x3 or 5x5
STEM, THREE, FIVE = 64 * 24 * 9, 64 * 64 * 9, 64 * 64 * 25
KINDS = ("changed", "added", "removed", "moved", "renamed", "equal")
OPTIONS = ["--model", "net.py:build", "--input", "1x3x8x8"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Tags in order: three and five (kernels), moved (the factory's argument has another name),
    broken (it does not import), grey (one channel), names (five with other names for its modules);
    five is checked out."""
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q", "-b", "main")
    versions = {
        "three": {"net": NET.format(kernel=3)},
        "five": {"net": NET.format(kernel=5)},
        "moved": {"net": NET.format(kernel=5).replace("kernel", "size")},
        "broken": {"net": "import no_such_module\n"},
        "grey": {"net": NET.format(kernel=5).replace("(3, 8", "(1, 8")},
        "names": {"net": NAMES + NET.format(kernel=5).replace("nn.Sequential(", "Named(")},
    }
    for tag, files in versions.items():
        commit(folder, tag, **files)
        git(folder, "tag", tag)
    git(folder, "reset", "-q", "--hard", "five")
    return folder


@pytest.fixture
def inside(repository, monkeypatch):
    monkeypatch.chdir(repository)
    return repository


def short(folder, name):
    return git(folder, "rev-parse", "--short=7", f"{name}^{{commit}}")


# (STEM + FIVE) / (STEM + THREE) = 116,224 / 50,688; FIVE / THREE = 25/9; the stem is the same
LIMITS = ["macs > +1%", "1: params > +100%", "macs > +200%", "0: macs > +0"]
MET = (
    "costlab: macs 50.69K -> 116.22K (+129.29%), limit: macs > +1%\n"
    "costlab: 1: params 576 -> 1.60K (+177.78%), limit: 1: params > +100%\n"
)


def test_two_revisions_of_a_factory(inside, capsys):
    options = [word for limit in LIMITS for word in ("--fail-on", limit)]
    assert main(["diff", "three", "HEAD", *OPTIONS, *options, "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert err == MET
    found = json.loads(out)
    assert found["title"] == f"three ({short(inside, 'three')}) to HEAD ({short(inside, 'HEAD')})"
    assert found["blocks"] == {**dict.fromkeys(KINDS, 0), "changed": 1, "equal": 1}
    assert [limit["met"] for limit in found["limits"]] == [True, True, False, False]
    assert [r["block"] for r in found["rows"]] == ["1"]
    assert found["total"]["MACs base (MACs)"] == STEM + THREE
    assert found["total"]["MACs head (MACs)"] == STEM + FIVE


@pytest.mark.slow
def test_the_working_tree_and_what_is_not_committed(inside, capsys):
    """HEAD against the files as they are: they differ, and a note says that HEAD is without."""
    net = inside / "net.py"
    net.write_text(NET.format(kernel=3))
    try:
        change = costlab.diff("HEAD", ".", model="net.py:build", inputs="1x3x8x8")
    finally:
        git(inside, "checkout", "-q", "--", ".")
    assert (change.base, change.head) == (f"HEAD ({short(inside, 'HEAD')})", "the working tree")
    assert change.macs == (STEM + FIVE, STEM + THREE)
    notes = [n for n in change.sheet.notes if "not committed" in n]
    assert len(notes) == 1 and notes[0].startswith(change.base)


@pytest.mark.slow
def test_a_detached_head_and_a_dirty_tree_are_compared_and_left_alone(inside, capsys):
    (inside / "net.py").write_text("import no_such_module\n")
    (inside / "new.py").write_text("")
    git(inside, "checkout", "-q", "--detach")
    before = git(inside, "status", "--porcelain"), git(inside, "worktree", "list")
    try:
        code = main(["diff", "three", "HEAD", *OPTIONS, "--fail-on", "macs > +200%"])
        after = git(inside, "status", "--porcelain"), git(inside, "worktree", "list")
    finally:
        git(inside, "checkout", "-q", "-f", "main")
        (inside / "new.py").unlink()
    out, err = capsys.readouterr()
    assert (code, err, after) == (0, "", before)
    assert "changes of the working tree that are not committed are not counted" in out


@pytest.mark.slow
def test_a_limit_follows_a_block_to_its_new_name(inside, capsys):
    """By the name in the base and by that in the head; 1 is body of the same kernel."""
    limits = ["--fail-on", "1: macs > +1%", "--fail-on", "body: params > +1%"]
    assert main(["diff", "three", "names", *OPTIONS, *limits]) == 1
    assert capsys.readouterr().err == (
        "costlab: body (was 1): macs 36.86K -> 102.40K (+177.78%), limit: 1: macs > +1%\n"
        "costlab: body (was 1): params 576 -> 1.60K (+177.78%), limit: body: params > +1%\n"
    )


def test_models_and_traces(repository, tmp_path, capsys):
    """Without --model each side is a model or a trace."""
    net = f"{repository / 'net.py'}:build"
    saved = tmp_path / "three.trace"
    three = costlab.load(net, ["1x3x8x8"], arguments={"kernel": 3})
    costlab.trace(three).save(saved)
    change = costlab.diff(saved, three)
    assert change.macs == (STEM + THREE, STEM + THREE) and not change.failed
    assert main(["diff", str(saved), str(saved), "--fail-on", "macs > +0"]) == 0
    assert main(["diff", net, net, *OPTIONS[2:], "--arg", "kernel=1", "--fail-on", "macs > 1"]) == 1


@pytest.mark.parametrize(
    "argv, says",
    [
        (["no-such", "HEAD", *OPTIONS], "there is no git revision 'no-such' here"),
        pytest.param(
            ["moved", "HEAD", *OPTIONS, "--arg", "kernel=3"],
            "at moved ({moved}): ",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["broken", "HEAD", *OPTIONS],
            "at broken ({broken}): net.py:build needs no_s",
            marks=pytest.mark.slow,
        ),
        pytest.param(["grey", "HEAD", *OPTIONS], "at grey ({grey}): ", marks=pytest.mark.slow),
        (
            ["three", "HEAD", "--model", "googlenet"],
            "'googlenet' is not a factory in this repository",
        ),
        (["three", "HEAD", *OPTIONS, "--fail-on", "macs > 1%"], "'macs > 1%': a percentage is"),
        (["three", "HEAD"], "unknown model 'three'"),
    ],
    ids=lambda v: "" if isinstance(v, str) else " ".join(v[:2]),
)
def test_what_cannot_be_compared_is_one_line(inside, capsys, argv, says):
    assert main(["diff", *argv]) == 2
    out, err = capsys.readouterr()
    said = says.format(**{tag: short(inside, tag) for tag in ("moved", "broken", "grey")})
    assert not out and err.startswith(f"costlab: {said}") and err.count("\n") == 1


def test_a_shallow_clone_and_no_repository(repository, tmp_path, monkeypatch, capsys):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert main(["diff", "HEAD~1", "HEAD", *OPTIONS]) == 2
    assert "clone is shallow" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["diff", "HEAD~1", "HEAD", *OPTIONS]) == 2
    assert "not a git repository" in capsys.readouterr().err


def test_revisions_are_names():
    with pytest.raises(TypeError, match="takes the names of two git revisions, not Trace"):
        costlab.diff(costlab.trace("nin"), "HEAD", model="net.py:build")


class Net(nn.Module):
    """(1, 3, 8, 8): modules by name in order, each of the given channels, kernel 3."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        for module in self.children():
            x = module(x)
        return x


class Renamed(Net):
    """The same under another name."""


def conv(c_in, c_out, kernel=3):
    return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)


def net(of=Net, **modules):
    return costlab.trace(of(**modules), torch.zeros(1, 3, 8, 8))


def kinds(base, head):
    """(block, what, what differs) of each step that is not equal, in order."""
    return [(s.name, s.what, s.cells) for s in costlab.diff(base, head, style="layers").differing]


def stem_body_head(of=Net, *, stem="stem", body="body", head="head", width=4):
    modules = {stem: conv(3, 4), body: conv(4, width), head: conv(width, 2, 1)}
    return net(of, **modules)


PLAIN = {"a": conv(3, 4), "b": conv(4, 4, 5), "c": conv(4, 2, 1)}


@pytest.mark.parametrize(
    "head, found",
    [
        (stem_body_head(), []),
        (stem_body_head(Renamed), []),
        (
            stem_body_head(stem="entry", body="trunk", head="exit"),
            [
                ("entry", "renamed", "was stem"),
                ("trunk", "renamed", "was body"),
                ("exit", "renamed", "was head"),
            ],
        ),
        (
            stem_body_head(width=6),
            [
                ("body", "changed", "output size: 8x8x4 -> 8x8x6"),
                ("head", "changed", "Conv2d weights: 2x4x1x1 and 2 -> 2x6x1x1 and 2"),
            ],
        ),
        (  # renamed and changed at once
            stem_body_head(body="trunk", width=6),
            [
                ("trunk", "changed", "was body; output size: 8x8x4 -> 8x8x6"),
                ("head", "changed", "Conv2d weights: 2x4x1x1 and 2 -> 2x6x1x1 and 2"),
            ],
        ),
        (
            net(stem=conv(3, 4), body=conv(4, 4), more=nn.Linear(8, 8), head=conv(4, 2, 1)),
            [("more", "added", "")],
        ),
        (net(stem=conv(3, 4), head=conv(4, 2, 1)), [("body", "removed", "")]),
        (  # the same two blocks in another order: one of them moves
            net(body=conv(3, 4), stem=conv(4, 4), head=conv(4, 2, 1)),
            [("body", "renamed", "was stem"), ("stem", "renamed", "was body")],
        ),
    ],
    ids=lambda v: "" if isinstance(v, list) else None,
)
def test_what_becomes_of_a_block(head, found):
    assert kinds(stem_body_head(), head) == found


def test_a_block_that_runs_elsewhere_is_moved():
    """The norm before the activation, and after it."""
    steps = {"norm": nn.BatchNorm2d(3), "act": nn.GELU(), "last": nn.Softmax(1)}
    base, head = (
        net(**{name: steps[name] for name in order})
        for order in (("norm", "act", "last"), ("act", "norm", "last"))
    )
    found = costlab.diff(base, head, depth=1)
    assert [(s.name, s.what, s.cells) for s in found.differing] == [
        ("norm", "moved", "runs at another place")
    ]
    assert found.counts["equal"] == 2


def test_a_block_in_another_module_is_moved_and_those_of_a_renamed_module_are_renamed():
    base = {"a": Net(x=conv(3, 4), y=conv(4, 4), z=conv(4, 5)), "b": Net(w=conv(5, 6))}
    moved = {"a": Net(x=conv(3, 4), y=conv(4, 4)), "b": Net(z=conv(4, 5), w=conv(5, 6))}
    renamed = {"q": base["a"], "b": base["b"]}
    options = {"style": "layers", "depth": 2}
    found = costlab.diff(net(**base), net(**moved), **options).differing
    assert [(s.name, s.what, s.paths) for s in found] == [("b.z", "moved", ("a.z", "b.z"))]
    found = costlab.diff(net(**base), net(**renamed), **options).differing
    assert [(s.what, s.paths) for s in found] == [
        ("renamed", (f"a.{k}", f"q.{k}")) for k in ("x", "y", "z")
    ]


def test_a_block_that_is_inserted_shifts_the_numbers_of_the_others():
    """Of different blocks the later ones are renamed; of alike ones the last is new."""
    layers = [conv(3, 4), conv(4, 5), conv(5, 6)]
    base, head = nn.Sequential(*layers), nn.Sequential(layers[0], conv(4, 4), *layers[1:])
    traces = [costlab.trace(m, torch.zeros(1, 3, 8, 8)) for m in (base, head)]
    assert kinds(*traces) == [
        ("1", "added", ""),
        ("2", "renamed", "was 1"),
        ("3", "renamed", "was 2"),
    ]
    alike = [
        costlab.trace(nn.Sequential(*(conv(3, 3) for _ in range(n))), torch.zeros(1, 3, 8, 8))
        for n in (12, 13)
    ]
    assert kinds(*alike) == [("12", "added", "")]


def test_googlenet_under_other_names_is_renamed_and_nothing_else():
    own, other = renamed("googlenet")
    counts = costlab.diff(own, other).counts
    rows = len(costlab.table(own).rows)
    unnamed = counts.pop("equal")  # rows of the model itself, which has no name to change
    assert counts == {"changed": 0, "added": 0, "removed": 0, "moved": 0, "renamed": rows - unnamed}
    assert counts["renamed"] >= 12
    for depth in (1, 2):
        counts = costlab.diff(own, other, style="layers", depth=depth).counts
        assert counts["changed"] == counts["added"] == counts["removed"] == counts["moved"] == 0


def markdown(base, head, **options):
    return costlab.diff(base, head, **options).render("md")


def test_a_comment_has_a_marker_the_verdict_totals_and_changes(tmp_path):
    """stem 3*4*9 + 4, body 4*w*9 + w, head 2w + 2 params for w = 4 and 6, on 64 positions."""
    text = markdown(
        stem_body_head(), stem_body_head(width=6), fail_on=["macs > +20%", "params > +99%"]
    )
    lines = text.splitlines()
    assert lines[0] == "<!-- costlab -->" and lines[1].startswith("### costlab: Net to Net")
    # MACs 64 * (108 + 144 + 8) = 16,640 and 64 * (108 + 216 + 12) = 21,504
    assert "| MACs | 16.64K | 21.50K | +4.86K | +29.23% |" in lines
    assert "| params | 270 | 348 | +78 | +28.89% |" in lines
    assert lines[3] == (
        "**MACs +29.23%, params +28.89%, peak memory +25.00%; 2 changed; limits failed: 1 of 2**"
    )
    assert lines[5] == "- :x: macs 16.64K -\\> 21.50K (+29.23%), limit: macs \\> +20%"
    assert lines[6].startswith("- :white_check_mark: params 270 -\\> 348")
    rows = [line for line in lines if line.startswith(("| body", "| head"))]
    assert rows[0].startswith("| body | changed | +4.61K (+50.00%) | +74 (+50.00%) |")
    assert rows[1].startswith("| head | changed | +256 (+50.00%) | +4 (+40.00%) |")
    assert "1 block is equal and not listed" in text and "</details>" in text


@pytest.mark.slow
def test_a_comment_of_any_change_fits_and_folds_what_is_beyond_ten():
    names = [f"a_layer_with_a_very_long_name_that_says_little_about_it_{i:04}" for i in range(600)]
    steps = {name: conv(3, 3, 1) for name in names}
    wide = {name: conv(3, 3, 3) for name in names}
    change = costlab.diff(net(**steps), net(**wide), depth=1)
    text = change.render("md")
    assert len(text) < 65536 and text.count("<details>") == text.count("</details>") == 2
    assert "<summary>590 more blocks differ</summary>" in text
    before, folded = text.split("<summary>590", 1)
    assert before.count("| changed |") == 10
    listed = folded.count("| changed |")
    assert 100 < listed < 590 and f"and {590 - listed} more, which" in folded


def test_markdown_is_escaped(tmp_path):
    trace = costlab.trace(Net(a=conv(3, 4)), torch.zeros(1, 3, 8, 8), spec="a|b <script>")
    text = markdown(trace, stem_body_head())
    assert "a\\|b \\<script\\>" in text and "<script" not in text.replace("\\<script", "")


def test_every_format_through_the_command(tmp_path, capsys):
    """Two models; a page without network, with the waterfall and both versions; a PDF."""
    net = tmp_path / "net.py"
    net.write_text(NET.format(kernel=3))
    base, head = tmp_path / "base.trace", tmp_path / "head.trace"
    for path, kernel in ((base, 3), (head, 5)):
        loaded = costlab.load(f"{net}:build", ["1x3x8x8"], arguments={"kernel": kernel})
        costlab.trace(loaded).save(path)
    argv = ["diff", str(base), str(head)]
    for name in ("md", "html", "pdf", "csv", "json"):
        assert main([*argv, "-o", str(tmp_path / f"c.{name}")]) == 0
    page = (tmp_path / "c.html").read_text()
    assert 'id="waterfall"' in page and 'id="versions"' in page and "changed" in page
    assert "https://" not in page.replace("https://www.w3.org", "")
    assert (tmp_path / "c.pdf").read_bytes().startswith(b"%PDF")
    row = next(csv.DictReader((tmp_path / "c.csv").open()))
    assert (row["block"], row["what"], row["head module"]) == ("1", "changed", "1")
    assert int(row["MACs change (MACs)"]) == FIVE - THREE
    assert float(row["MACs relative (fraction)"]) == pytest.approx(25 / 9 - 1)
    assert int(row["FLOPs change (FLOPs)"]) == 2 * (FIVE - THREE)
    assert main([*argv, "--format", "markdown"]) == 0
    assert capsys.readouterr().out == (tmp_path / "c.md").read_text()
    assert main([*argv, "--format", "pdf"]) == 2
    assert "pdf is not a text format; give a file with -o FILE" in capsys.readouterr().err


def test_a_terminal_shows_the_changes_and_wide_all_columns(capsys):
    change = costlab.diff(stem_body_head(), stem_body_head(width=6))
    out = io.StringIO()
    terminal(change.sheet, out, 80)
    table = out.getvalue()
    assert max(map(len, table.splitlines())) <= 80 and "+50.0%" in table
    assert "not shown at this width: params base (params)" in table
    assert {c.header for c in change.whole.columns if not c.detail} >= {
        "peak memory base (bytes)",
        "receptive field change (positions)",
        "FLOPs relative (%)",
        "head module",
    }


def test_measured_traces_have_their_time():
    """Of the whole model its median; of a block the sum of its operations in place."""
    base, head = (
        costlab.Trace.load(MEASUREMENTS / f"backbone-py-{n}.h200.fp32.nchw.32x3x224x224.trace")
        for n in ("base", "asymmetric")
    )
    change = costlab.diff(base, head, fail_on="time > +0.1%")
    times = [t.measured.total.median for t in (base, head)]
    assert change.figures["time"] == tuple(times) and [j.head for j in change.failed] == [times[1]]
    step = next(s for s in change.steps if s.name == "stages.1.5")
    for trace, found in zip((base, head), step.figures["time"], strict=True):
        own = (
            o.seconds for o in trace.measured.ops if trace.ops[o.of].module.startswith("stages.1.5")
        )
        assert found == pytest.approx(sum(own))
    assert sum("the whole model" in note for note in change.sheet.notes) == 2
