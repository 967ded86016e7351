"""A table as its reader wants it: columns, names, units, captions, in every command and format."""

import csv
import html
import io
import json
import re
from functools import cache

import pytest
from selection import slow_but

import costlab
from costlab.cli import main
from costlab.render import FORMATS, terminal
from costlab.tables import Column, Note, Shape, Sheet

NIN = ["table", "nin_cifar10", "--style", "layers"]


def printed(argv, capsys):
    """What a command prints."""
    capsys.readouterr()
    assert main(argv) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refusal(argv, capsys):
    """The line of a command that is refused."""
    capsys.readouterr()
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    return err.removeprefix("costlab: ").rstrip("\n")


def head(text, format):
    """The names at the head of the columns of an output."""
    if format == "csv":
        return [name for name in next(csv.reader(io.StringIO(text))) if name not in ("id", "notes")]
    if format == "json":
        return [name for name in json.loads(text)["rows"][0] if name != "id"]
    if format == "md":
        line = next(line for line in text.splitlines() if line.startswith("| "))
        return [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line.strip("|").split("|")]
    if format == "html":
        return [
            html.unescape(n)
            for n in re.findall(r"<th(?: [^>]*)?>(.*?)</th>", text.split("<tbody")[0])
        ]
    if format == "latex":
        line = text.split("\\toprule\n")[1].split("\n")[0]
        line = re.sub(
            r"\\begin\{tabular\}\[b\]\{[^}]*\{\}[lr][^}]*\{\}\}|\\end\{tabular\}", "", line
        )
        cells = line.removesuffix(r" \\").split(" & ")
        return [re.sub(r"\\([#%])", r"\1", cell.replace(r" \\ ", " ")) for cell in cells]
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("---"))
    above = [line.ljust(len(lines[rule])) for line in lines[2:rule]]  # below title and caption
    blank = "".join(" " if {*places} == {" "} else "x" for places in zip(*above, strict=True))
    spans = [found.span() for found in re.finditer(r"\S+(?: \S+)*", blank)]
    return [" ".join(line[a:b].strip() for line in above).strip() for a, b in spans]


# a command, columns of its table as people spell them, and what stands at the head of them then
COMMANDS = {
    "table": (NIN, "ops,Output_Size", ["ops (MACs)", "output size"]),
    "table by operator": (
        ["table", "nin_cifar10", "--by", "operator"],
        "calls,operator",
        ["calls", "operator"],
    ),
    "what if": (
        ["table", "nin_cifar10", "--what-if", "batch=2"],
        "block,what",
        ["block", "what"],
    ),
    "compare": (["compare", "nin_cifar10", "nin"], "nin,what", ["nin", "what"]),
    "against": (["compare", "nin", "--against", "nin_cifar10"], "version", ["version"]),
    "memory": (["memory", "nin_cifar10"], "part,WHAT", ["part", "what"]),
    "rules": (["factorize"], "macs-saved,rule", ["MACs saved (%)", "rule"]),
    "ranking": (["factorize", "nin_cifar10"], "rewrite,convolution", ["rewrite", "convolution"]),
    "grid": (["grid"], "output,scheme", ["output", "scheme"]),
    "audit": (["audit", "googlenet"], "verdict,row,cell", ["verdict", "row", "cell"]),
    "bottleneck": (["bottleneck"], "times,module", ["times (x)", "module"]),
    "head": (["head"], "params,head", ["params", "head"]),
    "aux": (["aux", "cnds8"], "params,network", ["params", "network"]),
    "results": (["results"], "top-5,network", ["top-5 (%)", "network"]),
    "list": (["list"], "input,name", ["input", "name"]),
    "doctor": (["doctor"], "found,name", ["found", "name"]),
    "study": (["study"], "question,command", ["question", "command"]),
    "diff": (["diff", "nin_cifar10", "nin"], "what,block", ["what", "block"]),
    "sweep": (
        ["sweep", "nin_cifar10", "--over", "batch=1,2", "--jobs", "1"],
        "macs,batch",
        ["MACs", "batch"],
    ),
}
TEXTUAL = ("csv", "json", "latex", "md", "html", "text")
FOR_MACHINES = {"params": "params (elements)", "MACs saved (%)": "MACs saved (fraction)"}
DOCUMENTS = {("diff", "md"), ("diff", "html")}  # reviews, which have several tables


@cache
def swept():
    """A real sweep, once."""
    return costlab.sweep("nin_cifar10", over={"batch": [1, 2]}, jobs=1)


# of commands that take longer the other formats are slow
LONGER, QUICK = {"audit", "bottleneck"}, {"csv", "text"}


@pytest.mark.usefixtures("sweeps_here")
@pytest.mark.parametrize(
    "command, format",
    [
        pytest.param(
            command, format, marks=[pytest.mark.slow] * (command in LONGER and format not in QUICK)
        )
        for command in COMMANDS
        for format in TEXTUAL
    ],
)
def test_every_command_and_format_shows_what_was_asked_for(command, format, capsys, monkeypatch):
    if command == "sweep":
        result = swept()
        monkeypatch.setattr(costlab, "sweep", lambda *models, **options: result)
    argv, asked, names = COMMANDS[command]
    options = ["--columns", asked, "--rename", f"{names[-1]}=Last column", "--format", format]
    options += ["--title", "Its title", "--caption", "A caption."]
    if (command, format) in DOCUMENTS:
        assert "is for one table" in refusal([*argv, *options], capsys)
        return
    text = printed([*argv, *options], capsys)
    if format in ("csv", "json"):
        names = [FOR_MACHINES.get(name, name) for name in names]
    assert head(text, format) == [*names[:-1], "Last column"]
    assert "Its title" in text or format == "latex"  # where the caption stands in its place
    assert "A caption." in text


CASES = {
    "order": ("params,type", ["params (elements)", "type"]),
    "spelling": ("TYPE,Output_size,patchsize/stride", ["type", "output size", "patch size/stride"]),
    "with the unit": ("ops (MACs),params (elements)", ["ops (MACs)", "params (elements)"]),
    "blanks": (" type , ops ", ["type", "ops (MACs)"]),
    "twice": ("type,ops,type", ["type", "ops (MACs)"]),
    "a further column": ("type,FLOPs", ["type", "FLOPs"]),
    "added at the end": ("+FLOPs,type", ["type", "FLOPs"]),
    "added twice": ("type,+type", ["type"]),
}
COUNTS = ("params (elements)", "ops (MACs)")
DEFAULT = [
    "type",
    "name",
    "times",
    "patch size/stride",
    "output size",
    "depth",
    "params (elements)",
    "ops (MACs)",
]


@pytest.mark.parametrize("case", CASES)
def test_names_select_in_order(case, capsys):
    asked, names = CASES[case]
    text = printed([*NIN, "--columns", asked, "--format", "csv"], capsys)
    assert head(text, "csv") == names


@pytest.mark.parametrize(
    "asked, added",
    [
        ("", []),
        ("+FLOPs", ["FLOPs"]),
        ("FLOPs", ["FLOPs"]),  # a further column alone: as before names could be selected
        ("receptive-field,activations", ["receptive field (pixels)", "activations (elements)"]),
        ("+params", []),
    ],
)
def test_further_columns_and_names_with_a_plus_are_added(asked, added, capsys):
    text = printed([*NIN, "--columns", asked, "--format", "csv"], capsys)
    assert head(text, "csv") == [*DEFAULT[:-2], *added, *DEFAULT[-2:]]


@pytest.mark.parametrize(
    "asked, shares",
    [
        ("", ["%", "%"]),  # of params and ops
        ("type,params,ops", []),
        ("type,params,%,ops", ["%"]),
        ("type,params,params,%,params", ["%"]),
        ("type,FLOPs,%", ["%"]),  # which has none by default
        ("+FLOPs", ["%", "%"]),
        ("+FLOPs,%", ["%", "%", "%"]),
    ],
)
def test_a_share_is_shown_where_it_is_asked_for(asked, shares, capsys):
    text = printed([*NIN, "--columns", asked, "--format", "md"], capsys)
    assert [name for name in head(text, "md") if name == "%"] == shares


# unit -> the head of the column, GoogLeNet's 6,990,272 weights (paper: K = 1024, M = 1e6) and
# 1,582,671,872 MACs as people see them, with four digits, and as machines do
UNITS = {
    "params=K": ("params (K)", "6,826", 6826.4375),  # of 1024
    "params=M": ("params (M)", "6.990", 6.990272),
    "ops=G": ("ops (GMACs)", "1.583", 1.582671872),
    "OPS=m": ("ops (MMACs)", "1,583", 1582.671872),
    "ops=exact": ("ops (MACs)", "1,582,671,872", 1582671872),
}


@pytest.mark.parametrize("unit", slow_but(("params=K", "OPS=m", "ops=exact"), UNITS))
def test_units_are_of_exact_values(unit, capsys):
    name, shown, exact = UNITS[unit]
    argv = ["table", "googlenet", "--units", unit, "--format"]
    assert json.loads(printed([*argv, "json"], capsys))["total"][name] == exact
    text = printed([*argv, "md"], capsys)
    place = head(text, "md").index(name)
    last = [line for line in text.splitlines() if line.startswith("|")][-1]
    assert last.strip("| ").split("|")[place].strip() == shown


def test_a_small_number_is_not_zero_and_none_is_blank():
    """1.582 GMACs with 3 decimals: 400 kMACs are less than one thousandth of G."""
    rows = ({"a": 1_582_000_000}, {"a": 400_000}, {"a": 0}, {"a": "unknown"}, {})
    sheet = Shape(units={"a": "G"}).of(Sheet("t", (Column("a", "MACs"),), rows))
    cells = [line.strip("| \\") for line in FORMATS["md"](sheet).splitlines()[4:9]]
    assert cells == ["1.582", "<0.001", "", "unknown", ""]
    assert [r["a (GMACs)"] for r in sheet.records()] == [1.582, 0.0004, 0, "unknown", ""]


@pytest.mark.parametrize(
    "unit, header, value, shown",
    [
        ("K", "MACs", 1.5, "1,500"),
        ("us", "ms", 1.5, "1,500"),
        ("s", "ms", 1500, "1.500"),
        ("MB", "bytes", 35_871_840, "35.87"),
        ("M", "bytes", 35_871_840, "35.87"),
        ("mib", "bytes", 3 * 2**20, "3.000"),
        ("M", "elements", 1_500_000, "1.500"),
    ],
)
def test_units_by_kind_of_number(unit, header, value, shown):
    value = value * 10**6 if header == "MACs" else value
    sheet = Sheet("t", (Column("n", header),), ({"n": value},))
    assert FORMATS["md"](Shape(units={"n": unit}).of(sheet)).splitlines()[4] == f"| {shown} |"


def test_a_unit_for_all_takes_those_that_have_it(capsys):
    """The share of a time and a grid's size have no unit M; what is said of one column goes before
    what is said of all."""
    options = ["--units", "M,params=K", "--columns", "output-size,params,ops,bytes"]
    text = printed([*NIN, *options, "--format", "csv"], capsys)
    assert head(text, "csv") == ["output size", "params (K)", "ops (MMACs)", "bytes (MB)"]


@pytest.mark.parametrize(
    "labels, units, names",
    [
        ("ops=MACs,params=#params", "", ["#params", "MACs"]),
        ("ops=MACs,params=#params", "ops=G,params=M", ["#params (M)", "MACs (G)"]),
        ("ops=Mult-adds", "ops=M", ["params (elements)", "Mult-adds (MMACs)"]),
        ("ops=GMACs", "ops=G", ["params (elements)", "GMACs"]),
        ("ops=Cost, in MACs", "", ["params (elements)", "Cost, in MACs"]),
    ],
)
def test_a_name_stands_alone_unless_its_numbers_are_in_a_unit(labels, units, names, capsys):
    options = ["--columns", "params,ops", "--rename", labels, "--units", units]
    assert head(printed([*NIN, *options, "--format", "csv"], capsys), "csv") == names


COLUMNS = "type, name, times, patch-size/stride, output-size, depth, params, ops"
REFUSED = {
    "unknown": ("--columns type,parms", "unknown column 'parms'; did you mean params? The columns"),
    "lists all": ("--columns type,parms", f"{COLUMNS}, receptive-field, MACs, FLOPs"),
    "no prefix": ("--columns out", "unknown column 'out'; did you mean"),
    "another case": ("--columns flop", "did you mean FLOPs?"),
    "rename": ("--rename opps=x", f"did you mean ops? The columns are {COLUMNS}"),
    "share of text": ("--columns type,%", "the column type has no total that a share could be of"),
    "share of nothing": ("--columns %", "name a column first, as ops,%"),
    "twice the same": ("--rename ops=params,params=x,depth=x", "another column is called 'x'"),
    "taken": ("--rename type=notes", "another column is called 'notes'; give type another name"),
    "no name": ("--rename ops=", "the column ops has no name left; give it one"),
    "no equals": (
        "--rename ops",
        "cannot read --rename 'ops'; write it as ops=MACs,params=#params",
    ),
    "no unit": (
        "--units params=GB",
        "no unit 'GB' for the column params; choose exact, K, M, G, T",
    ),
    "not a number": ("--units type=M", "type has no units; there are params, ops: exact, K, M"),
    "no unit of any": ("--units Q", "no column has the unit 'Q'; there are params, ops: exact, K"),
    "a label": ("--label tab:x", "--label is for LaTeX, HTML and JSON: name the file .tex"),
    "a fragment": ("--fragment --format csv", "--fragment is for LaTeX and HTML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_table_does_not_have_is_one_line(case, capsys):
    options, line = REFUSED[case]
    assert line in refusal([*NIN, *options.split()], capsys)


def test_a_table_that_was_costly_is_shown_all_the_same(capsys):
    """Which unit suits a column may turn out at the end alone."""
    argv = ["sweep", "nin_cifar10", "--over", "batch=1", "--jobs", "1", "--columns", "failed"]
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert "222,486,528" in out and "unknown column 'failed'" in err


# commands that take long, on what is not there: the column is found to be wrong before that
LONG = {
    "a sweep": ("sweep no_such --over batch=1 --columns batches", "did you mean batch?"),
    "of arguments": ("sweep no_such --over width=1 --over wide=2 --columns arg.wid", "arg.wide?"),
    "a sweep without times": ("sweep no_such --over batch=1 --columns time", "unknown column"),
    "a measured one": ("sweep no_such --over batch=1 --measure --units time=K", "no unit 'K' for"),
    "a predicted one": (
        "sweep no_such --over batch=1 --profile l4 --rename at-leest=x",
        "unknown column 'at-leest'",
    ),
    "every audit": ("audit --all --columns verdikt", "did you mean verdict?"),
    "a check": ("check no_such.toml --columns limmit", "did you mean limit?"),
    "rewrites": ("factorize no_such --apply best --columns rewrites", "did you mean rewrite?"),
}


@pytest.mark.parametrize("case", LONG)
def test_a_column_that_cannot_be_is_refused_before_the_work(case, capsys):
    argv, line = LONG[case]
    assert line in refusal(argv.split(), capsys)


def test_what_cannot_be_read_is_refused_before_the_work(capsys):
    argv = ["sweep", "no_such_model", "--over", "batch=1", "--rename", "ops"]
    assert "cannot read --rename 'ops'" in refusal(argv, capsys)


@pytest.mark.parametrize("format", TEXTUAL)
def test_a_note_goes_with_its_columns(format):
    notes = ("of all", Note("of a and b", "a", "b"), Note("of b", "b"))
    sheet = Sheet("t", (Column("a"), Column("b"), Column("c")), ({"a": "1"},), notes)
    for asked, said in {("a", "c"): (1, 1, 0), ("c",): (1, 0, 0), ("b",): (1, 1, 1)}.items():
        text = FORMATS[format](Shape(columns=asked).of(sheet))
        assert tuple(int(note in text) for note in notes) == said


def test_the_notes_on_peaks_and_times_go_with_their_columns():
    table = costlab.table("nin_cifar10", sort="peak")
    assert any("peak memory: the most bytes" in note for note in table.sheet.notes)
    only = table.select("name", "ops")
    assert not any("peak memory" in note for note in only.sheet.notes if "rows by" not in note)


@pytest.mark.parametrize("format", TEXTUAL)
def test_the_last_rows_keep_their_names_whatever_stands_first(format):
    table = costlab.table("resnet18", style="layers", top=2)
    rest = "the other 8 rows"
    assert table.rest == 8
    for asked in (("name", "ops"), ("output size", "ops"), ("ops", "output size")):
        text = table.select(*asked).render(format)
        if asked[0] == "ops" and format in ("csv", "json"):
            assert "other rows" in text  # the row's id
        else:
            assert rest in text


@pytest.mark.parametrize("width", slow_but((30, 80), [30, 40, 60, 80, 120]))
@pytest.mark.parametrize("style", ["layers", "resnet"])
def test_the_last_rows_keep_their_names_in_a_narrow_terminal(style, width):
    out = io.StringIO()
    terminal(costlab.table("resnet50", style=style, top=3).sheet, out, width)
    lines = out.getvalue().splitlines()
    rules = [i for i, line in enumerate(lines) if line.startswith("──")]
    assert re.match(r"the other \d+ rows |\d+ others ", lines[rules[1] - 1])
    assert lines[rules[1] + 1].lstrip().startswith("total ")


def test_the_total_is_named_beside_a_number_that_stands_first():
    text = costlab.table("nin_cifar10").select("ops", "name").render("md")
    assert "| total 222.49M |" in text


def test_a_group_has_headings_where_its_column_is_shown(capsys):
    assert "\nextras\n" in printed(["doctor", "--columns", "part,name"], capsys)
    assert "\nextras\n" not in printed(["doctor", "--columns", "name,found"], capsys)


def test_an_html_fragment_is_a_table_with_the_label_as_its_id(capsys):
    options = ["--format", "html", "--fragment", "--label", "tab:nin", "--title", ""]
    text = printed([*NIN, *options], capsys)
    assert text.startswith("<div") and '<table id="tab:nin"><thead>' in text


def test_shapes_in_python_follow_each_other():
    table = costlab.table("googlenet", columns=["+FLOPs"])
    shaped = (
        table.select("type", "ops", "FLOPs").rename(ops="MACs").units("G").select("MACs", "type")
    )
    assert list(shaped.sheet.records()[0]) == ["id", "MACs (G)", "type"]
    assert shaped.sheet.records()[0]["MACs (G)"] == 118013952 / 1e9
    headed = shaped.header("Cost").caption("All of it.", label="tab:g")
    assert str(headed).startswith("Cost\nAll of it.\n")
    assert r"\caption[{Cost}]{All of it.}\label{tab:g}" in headed.to_latex()
    assert repr(headed) == "<Shaped 'Cost', 19 rows>"
    assert 'id="tab:g"' in headed._repr_html_()


@pytest.mark.parametrize(
    "shape, line",
    [
        (lambda t: t.select("parms"), "unknown column 'parms'; did you mean params?"),
        (lambda t: t.select("FLOPs"), 'costlab.table(..., columns=["+FLOPs"])'),
        (lambda t: t.rename(opps="x"), "did you mean ops?"),
        (lambda t: t.units(params="GB"), "choose exact, K, M, G, T"),
        (lambda t: t.caption("c", label="a}b"), "cannot take the label 'a}b'"),
    ],
)
def test_what_a_result_does_not_have_is_said_where_it_is_asked_for(shape, line):
    with pytest.raises(ValueError) as caught:
        shape(costlab.table("nin_cifar10"))
    assert line in str(caught.value)


def test_columns_of_the_function_are_those_of_the_command(capsys):
    asked = "type,receptive-field,ops,%"
    table = costlab.table("nin_cifar10", style="layers", columns=asked.split(","))
    assert str(table) + "\n" == printed([*NIN, "--columns", asked], capsys)


def test_claims_in_words_are_not_shaped(capsys):
    line = refusal(["claims", "C13", "--columns", "verdict"], capsys)
    assert line.startswith("--columns is for one table, and a claim is explained in words")


def test_a_summary_takes_the_names_that_a_table_takes():
    import torch

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU())
    layers = ["type", "name", "patch size/stride", "output size", "depth"]
    for asked, names in {
        ("name", "FLOPs"): ["name", "FLOPs"],
        ("+FLOPs",): [*layers, "FLOPs", *COUNTS],
    }.items():
        summary = costlab.summary(model, (3, 8, 8), columns=asked)
        assert [name for name in summary.sheet.records()[0] if name != "id"] == names


def test_what_is_said_of_predicted_times_goes_with_them():
    table = costlab.table("nin_cifar10", profile="h100")
    for names, said in {("type", "at least"): True, ("type", "ops"): False}.items():
        notes = table.select(*names).sheet.notes
        assert any("published peaks" in note for note in notes) == said


# options, and of four quantities the unit and the number of GoogLeNet in it
IN_UNITS = {
    "one kind of rows": (
        "MACs=G",
        {"MACs": ("G multiply-adds", 1.582671872), "params": ("elements", 6998552)},
    ),
    "two": (
        "params=M,macs=G",
        {"MACs": ("G multiply-adds", 1.582671872), "params": ("M elements", 6.998552)},
    ),
    "all that have it": (
        "G",
        {"MACs": ("G multiply-adds", 1.582671872), "params": ("G elements", 0.006998552)},
    ),
    "their own": ("MACs=exact", {"MACs": ("multiply-adds", 1582671872)}),
}


@pytest.mark.parametrize("case", IN_UNITS)
def test_a_comparison_has_units_by_row(case, capsys):
    units, expected = IN_UNITS[case]
    argv = ["compare", "googlenet", "alexnet", "--units", units, "--format", "json", "-q"]
    assert main(argv) == 0
    rows = {row["what"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    for what, (unit, value) in expected.items():
        assert (rows[what]["unit"], rows[what]["googlenet"]) == (unit, pytest.approx(value))
        assert rows[f"head: {what}"]["unit"] == unit
    ratio = rows["MACs"]["alexnet"] / rows["MACs"]["googlenet"]
    assert rows["MACs"]["alexnet / googlenet"] == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("units", "line"),
    [
        ("mac=G", "unknown quantity 'mac'; did you mean MACs?"),
        ("MACs=ms", "no unit 'ms' for macs; choose exact, K, M, G, T"),
        ("GiB", "no quantity has the unit 'GiB'; those with units: params, MACs, activations"),
    ],
)
def test_units_that_no_row_of_a_comparison_has_are_one_line(units, line, capsys):
    assert line in refusal(["compare", "googlenet", "alexnet", "--units", units], capsys)
