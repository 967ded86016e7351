"""The pytest plugin: the fixture `costlab` and the marker `costlab_budget`.

    @pytest.mark.costlab_budget(macs="<= 2.1G", params="<= 26M")
    def test_backbone(costlab):
        costlab.assert_cost(build(), torch.zeros(1, 3, 224, 224))

pytest imports this file whenever costlab is installed. So it imports nothing of costlab, and no
torch, until a test uses the fixture.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .api import Trace
    from .predict import AnyProfile, AnyRate

_MARKER = "costlab_budget"
_HELP = (
    f"{_MARKER}(*limits, **quantities): limits on each model that the test gives to "
    'costlab.assert_cost, as macs="<= 2.1G" or "stages.2: params <= 3M"'
)


class CostAssertions:
    """What a test gets as `costlab`."""

    def __init__(self, root: Path, budgets: tuple[pytest.Mark, ...]) -> None:
        self._root = root
        self._budgets = budgets
        self.checked = 0

    def assert_cost(
        self,
        model: Any,
        inputs: Any = None,
        *limits: str,
        base: Any = None,
        profile: AnyProfile | None = None,
        rate: AnyRate | None = None,
        **quantities: str,
    ) -> Trace:
        """`costlab.assert_cost` with the limits of the test's markers as well. A `base` that is the
        path of a saved trace is looked for from pytest's root folder."""
        __tracebackhide__ = True
        import costlab

        self.checked += 1
        texts = [text for mark in self._budgets for text in _expressions(mark)]
        return costlab.assert_cost(
            model,
            inputs,
            *texts,
            *limits,
            base=self._file(base),
            profile=profile,
            rate=rate,
            **quantities,
        )

    def trace(self, model: Any, inputs: Any = None, **options: Any) -> Trace:
        """`costlab.trace`; budgets are not checked."""
        import costlab

        return costlab.trace(model, inputs, **options)

    def _file(self, base: Any) -> Any:
        if isinstance(base, (str, Path)) and (self._root / base).is_file():
            return self._root / base
        return base


def _expressions(mark: pytest.Mark) -> list[str]:
    """The limits of a marker as expressions."""
    return [*mark.args, *(f"{name} {text}" for name, text in mark.kwargs.items())]


def _budgets(item: pytest.Item) -> tuple[pytest.Mark, ...]:
    """The markers of a test, its class and its module: all of them apply."""
    return tuple(item.iter_markers(_MARKER))


@pytest.fixture
def costlab(request: pytest.FixtureRequest) -> CostAssertions:
    """Assertions on what a model costs: `costlab.assert_cost(model, inputs, macs="<= 2.1G")`."""
    return CostAssertions(request.config.rootpath, _budgets(request.node))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _HELP)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose budget nothing could check."""
    if _budgets(item) and "costlab" not in getattr(item, "fixturenames", ()):
        pytest.fail(
            f"{_MARKER} needs the costlab fixture: take `costlab` as an argument of the test, and "
            "call costlab.assert_cost(model, inputs)",
            pytrace=False,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passes with a budget and has checked no model."""
    result = yield
    if _budgets(item):
        used = getattr(item, "funcargs", {}).get("costlab")
        if isinstance(used, CostAssertions) and not used.checked:
            pytest.fail(
                f"{_MARKER} was not checked: the test did not call costlab.assert_cost",
                pytrace=False,
            )
    return result
