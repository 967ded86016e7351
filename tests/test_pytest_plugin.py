"""The pytest plugin, run by pytest on tests of its own, and `costlab.assert_cost`."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
from torch import nn

import costlab

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parent.parent

# (1, 3, 8, 8): 3x3 convolutions of 3 -> 4 -> `middle`, then 64 * middle -> 10. With 4 channels
# 3*4*9*64 = 6,912 + 4*4*9*64 = 9,216 + 256*10 = 2,560, together 18,688 MACs; with 5 channels
# 6,912 + 4*5*9*64 = 11,520 + 320*10 = 3,200, together 21,632 (+15.75%)
NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, middle=4):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, middle, 3, padding=1))
        self.head = nn.Linear(middle * 64, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))
"""
exec(NET)
Net = globals()["Net"]
X = torch.zeros(1, 3, 8, 8)


def failure(*args, **kwargs):
    with pytest.raises(AssertionError) as e:
        costlab.assert_cost(*args, **kwargs)
    return str(e.value)


def test_limits_that_are_met_give_the_trace():
    trace = costlab.assert_cost(Net(), X, macs="<= 18688", params="<= 3K")
    assert costlab.total(trace).macs == 18688


def test_a_failure_names_the_figure_and_the_largest_blocks():
    assert failure(Net(), X, macs="<= 15K", params="<= 3K") == (
        "Net: 1 of 2 limits is not met\n"
        "\n"
        "macs 18.69K, limit: macs <= 15K\n"
        "  largest blocks:\n"
        "    body.1  9.22K  49.3%\n"
        "    body.0  6.91K  37.0%\n"
        "    head    2.56K  13.7%"
    )


# params: 112 + 4*4*9+4 = 148 + 2,570 = 2,830; with 5 channels 112 + 185 + 3,210 = 3,507
def test_a_failure_against_a_base_names_the_blocks_that_grew():
    assert failure(Net(5), X, base=Net(), macs="<= +1%", params="<= 3K") == (
        "Net: 2 of 2 limits are not met\n"
        "\n"
        "macs 18.69K -> 21.63K (+15.75%), limit: macs <= +1%\n"
        "  blocks that grew:\n"
        "    body.1  9.22K  ->  11.52K  +2.30K  (+25.00%)\n"
        "    head    2.56K  ->   3.20K    +640  (+25.00%)\n"
        "\n"
        "params 2.83K -> 3.51K (+23.92%), limit: params <= 3K\n"
        "  blocks that grew:\n"
        "    head    2.57K  ->  3.21K  +640  (+24.90%)\n"
        "    body.1    148  ->    185   +37  (+25.00%)"
    )


def test_a_lower_limit_names_the_blocks_that_shrank():
    assert failure(Net(), X, base=Net(5), macs=">= -5%").splitlines()[3:] == [
        "  blocks that shrank:",
        "    body.1  11.52K  ->  9.22K  -2.30K  (-20.00%)",
        "    head     3.20K  ->  2.56K    -640  (-20.00%)",
    ]


def test_the_limit_of_a_block_lists_what_is_inside():
    assert failure(Net(), X, "body: macs <= 10K").splitlines()[2:] == [
        "body: macs 16.13K, limit: body: macs <= 10K",
        "  largest blocks:",
        "    body.1  9.22K  57.1%",
        "    body.0  6.91K  42.9%",
    ]


def test_a_block_that_the_base_does_not_have_is_new():
    longer = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    assert failure(longer, torch.zeros(1, 4), base=longer[:1], macs="<= +0%").splitlines()[3:] == [
        "  blocks that grew:",
        "    1  0  ->  16  +16  (new)",
    ]


def test_a_renamed_block_has_not_grown():
    base, head = nn.Sequential(), nn.Sequential()
    for model, name, width in ((base, "old", 4), (head, "new", 8)):
        model.add_module(name, nn.Linear(4, 4, bias=False))
        model.add_module("last", nn.Linear(4, width, bias=False))
    assert failure(head, torch.zeros(1, 4), base=base, macs="<= +0%").splitlines()[3:] == [
        "  blocks that grew:",
        "    last  16  ->  32  +16  (+100.00%)",
    ]


class Trunk(Net):
    """Net with another name for its body."""

    def __init__(self, middle=4):
        super().__init__(middle)
        self.trunk = self.body
        del self.body

    def forward(self, x):
        return self.head(self.trunk(x).flatten(1))


@pytest.mark.parametrize("block", ["body", "trunk"])
def test_a_limit_on_a_renamed_block_holds_of_it_by_both_names(block):
    costlab.assert_cost(Trunk(), X, f"{block}: macs <= +0%", base=Net())
    # body.1: 36*64*4 = 9,216 and with 5 channels 11,520
    assert failure(Trunk(5), X, f"{block}: macs <= +0%", base=Net()).splitlines()[2:] == [
        f"trunk (was body): macs 16.13K -> 18.43K (+14.29%), limit: {block}: macs <= +0%",
        "  blocks that grew:",
        "    trunk.1  9.22K  ->  11.52K  +2.30K  (+25.00%)",
    ]


def test_a_limit_on_a_block_that_is_gone_says_so():
    base = nn.Sequential()
    base.add_module("old", nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
    base.add_module("last", nn.Linear(4, 4))
    with pytest.raises(ValueError, match=r"^'old: macs <= 1': module 'old' of the base has no "):
        costlab.assert_cost(base[1:], torch.zeros(1, 4), "old: macs <= 1", base=base)


def test_without_a_block_that_grew_the_largest_are_listed():
    lines = failure(Net(), X, base=Net(5), macs="<= 15K").splitlines()
    assert lines[2] == "macs 21.63K -> 18.69K (-13.61%), limit: macs <= 15K"
    assert lines[3:5] == ["  largest blocks:", "    body.1  9.22K  49.3%"]


def test_only_the_most_important_blocks_are_listed():
    deep = nn.Sequential(*(nn.Linear(4, 4) for _ in range(11)))
    lines = failure(deep, torch.zeros(1, 4), macs="<= 100").splitlines()
    assert len([line for line in lines if line.endswith("%")]) == 8
    assert lines[-1] == "    and 3 more blocks"


def test_peaks_of_blocks_have_no_share():
    lines = failure(Net(), X, peak="<= 1KB").splitlines()
    # float32: body.1 reads 4*64 and writes 4*64 elements: 2,048 bytes
    assert lines[4].split() == ["body.1", "2.05KB"] and "%" not in "".join(lines)


def test_a_model_without_blocks_has_no_list():
    assert failure(nn.Linear(4, 4), torch.zeros(1, 4), macs="<= 15").splitlines()[2:] == [
        "macs 16, limit: macs <= 15"
    ]


def test_traces_and_their_files_are_bases(tmp_path):
    costlab.trace(Net(), X).save(tmp_path / "base.trace")
    costlab.assert_cost(Net(), X, base=tmp_path / "base.trace", macs="<= +0%")
    head = costlab.trace(Net(5), X)
    assert "(+15.75%)" in failure(head, base=costlab.trace(Net(), X), macs="<= +15%")


@pytest.mark.parametrize(
    "limits, quantities, says",
    [
        ((), {}, "assert_cost has no limit to assert"),
        ((), {"macs": "2.1G"}, "'macs 2.1G' is not a limit; write for example 'macs <= 2.1G'"),
        ((), {"mac": "<= 2.1G"}, "did you mean macs?"),
        (("bdy: macs <= 1",), {}, "has no module 'bdy' that runs; did you mean body?"),
        ((), {"macs": "<= +1%"}, "is a change from a base, and there is none"),
    ],
)
def test_what_cannot_be_asserted_is_one_line(limits, quantities, says):
    with pytest.raises(ValueError, match="^[^\n]+$") as e:
        costlab.assert_cost(Net(), X, *limits, **quantities)
    assert says in str(e.value)


@pytest.fixture
def project(pytester, tmp_path_factory, monkeypatch):
    """A folder with net.py, where pytest finds the plugin by the entry point of pyproject.toml."""
    installed = tmp_path_factory.mktemp("installed")
    about = installed / "costlab-0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: costlab\nVersion: 0.0\n")
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [f"{name} = {value}" for name, value in points["pytest11"].items()]
    (about / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    monkeypatch.setenv("PYTHONPATH", f"{installed}:{ROOT}")
    pytester.syspathinsert(installed)
    pytester.syspathinsert()
    pytester.makepyfile(net=NET)
    return pytester


def run(project, test, *options):
    project.makepyfile(test_net="import pytest\nimport torch\nfrom net import Net\n" + test)
    return project.runpytest_inprocess("--strict-markers", "-p", "no:cacheprovider", *options)


USED = """
X = torch.zeros(1, 3, 8, 8)

@pytest.mark.costlab_budget("body: macs <= 20K", macs="<= 20K")
@pytest.mark.parametrize("middle", [4, 5])
def test_budget(costlab, middle):
    costlab.assert_cost(Net(middle), X, params="<= 4K")
"""


def test_the_marker_limits_each_model_of_the_test(project):
    result = run(project, USED)
    result.assert_outcomes(passed=1, failed=1)
    shown = result.stdout.str()
    assert shown[shown.index(">  ") : shown.index("\n====", shown.index(">  "))] == (
        '>       costlab.assert_cost(Net(middle), X, params="<= 4K")\n'
        "E       AssertionError: Net: 1 of 3 limits is not met\n"
        "E       \n"
        "E       macs 21.63K, limit: macs <= 20K\n"
        "E         largest blocks:\n"
        "E           body.1  11.52K  53.3%\n"
        "E           body.0   6.91K  32.0%\n"
        "E           head     3.20K  14.8%\n"
        "\n"
        "test_net.py:10: AssertionError"
    )


def test_markers_of_a_class_and_of_its_tests_add_up(project):
    result = run(
        project,
        """
@pytest.mark.costlab_budget(macs="<= 20K")
class TestNet:
    @pytest.mark.costlab_budget(params="<= 1K")
    def test_budget(self, costlab):
        costlab.assert_cost(Net(), torch.zeros(1, 3, 8, 8))
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*Net: 1 of 2 limits is not met"])


@pytest.mark.parametrize(
    "test, says",
    [
        ("def test_budget(): pass", "costlab_budget needs the costlab fixture: take `costlab` *"),
        (
            "def test_budget(costlab): costlab.trace(Net(), torch.zeros(1, 3, 8, 8))",
            "costlab_budget was not checked: the test did not call costlab.assert_cost",
        ),
    ],
)
def test_a_budget_that_nothing_checks_fails(project, test, says):
    result = run(project, f'\n@pytest.mark.costlab_budget(macs="<= 20K")\n{test}\n')
    assert result.ret == 1
    result.stdout.fnmatch_lines([says])
    assert "Traceback" not in result.stdout.str() and "INTERNALERROR" not in result.stdout.str()


def test_a_skipped_test_and_one_that_fails_stay_what_they_are(project):
    result = run(
        project,
        """
@pytest.mark.costlab_budget(macs="<= 20K")
def test_skipped(costlab): pytest.skip("no data")

@pytest.mark.costlab_budget(macs="<= 20K")
def test_broken(costlab): raise RuntimeError("broken")
""",
    )
    result.assert_outcomes(skipped=1, failed=1)
    result.stdout.fnmatch_lines(["E*RuntimeError: broken"])


def test_a_base_is_found_from_the_root_folder(project):
    costlab.trace(Net(), X).save(project.path / "base.trace")
    (project.path / "elsewhere").mkdir()
    result = run(
        project,
        """
def test_budget(costlab, monkeypatch):
    monkeypatch.chdir("elsewhere")
    costlab.assert_cost(Net(5), torch.zeros(1, 3, 8, 8), base="base.trace", macs="<= +1%")
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*macs 18.69K -> 21.63K (+15.75%), limit: macs <= +1%", "E*blocks that grew:"]
    )


def test_the_marker_and_the_fixture_say_what_they_do(project):
    shown = project.runpytest_inprocess("--markers").stdout.str()
    assert "@pytest.mark.costlab_budget(*limits, **quantities): limits on each model" in shown
    shown = project.runpytest_inprocess("--fixtures").stdout.str()
    assert "Assertions on what a model costs" in shown


def test_a_budget_can_be_on_the_price_on_a_device(project):
    """A bound is above 0, and a million of these inputs take less than an hour."""
    lines = [
        "def test_price(costlab, limit):",
        "    x = torch.zeros(1, 3, 8, 8)",
        "    costlab.assert_cost(Net(), x, at_least_price=limit, profile='h100', rate=1)",
    ]
    limits = "@pytest.mark.parametrize('limit', ['<= 1', '<= 0'])\n"
    run(project, limits + "\n".join(lines)).assert_outcomes(passed=1, failed=1)


def test_pytest_without_a_budget_imports_no_torch(project):
    """In a process of its own, as a user's: the plugin is loaded, and torch is not."""
    project.makepyfile(
        test_plain="""
        import sys

        def test_plain(request):
            assert request.config.pluginmanager.has_plugin("costlab")
            assert "torch" not in sys.modules and "costlab.api" not in sys.modules
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "test_plain.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


# (1, 3, 224, 224): 3*64*49*112*112 = 118,013,952 MACs, then 64*64*9*56*56 = 115,605,504 in each of
# two stages and 64*`width`*9*28*28 in the third, with a stride of 2
BACKBONE = """
from torch import nn

def build(width=128):
    stem = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
    stages = [
        nn.Conv2d(64, 64, 3, stride=2, padding=1, bias=False),
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.Conv2d(64, width, 3, stride=2, padding=1, bias=False),
    ]
    net = nn.Sequential()
    net.add_module("stem", stem)
    net.add_module("stages", nn.Sequential(*stages))
    return net
"""


def blocks_of_the_guide(heading):
    """The fenced blocks of a part of the guide on pull requests."""
    guide = (ROOT / "docs" / "how-to" / "pull-requests.md").read_text()
    part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", guide, re.M | re.S)[1]
    return re.findall(r"^```\w.*\n((?:.*\n)*?)^```", part, re.M)


@pytest.mark.parametrize(
    "width, outcome", [(128, {"passed": 2}), (256, {"passed": 1, "failed": 1})]
)
def test_the_tests_of_the_guide_run(project, width, outcome):
    """As printed, on a backbone of 407M MACs; twice as many filters in its last stage are +14%."""
    (project.path / "nets").mkdir()
    (project.path / "nets" / "backbone.py").write_text(BACKBONE)
    (project.path / "tests").mkdir()
    base = costlab.trace(f"{project.path}/nets/backbone.py:build", ["1x3x224x224"])
    base.save(project.path / "tests" / "backbone.trace")
    wider = BACKBONE.replace("width=128", f"width={width}")
    (project.path / "nets" / "backbone.py").write_text(wider)
    (project.path / "tests" / "test_backbone.py").write_text(blocks_of_the_guide("pytest")[0])
    result = project.runpytest_inprocess("--strict-markers", "tests")
    result.assert_outcomes(**outcome)
    if "failed" in outcome:
        result.stdout.fnmatch_lines(["E*macs 407.03M -> 464.83M (+14.20%), limit: macs <= +1%"])


def test_the_failure_of_the_readme_is_that_of_a_test():
    shown = failure(Net(5), X, base=Net(), macs="<= +1%")
    assert blocks_of_the_guide("pytest")[1] == f"AssertionError: {shown}\n"
