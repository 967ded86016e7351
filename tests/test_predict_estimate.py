"""Sums and differences of predicted times, and their intervals."""

import pytest

from costlab.predict import Estimate, difference, estimates_sum

A, B = Estimate(2.0, 5.0, 9.0), Estimate(6.0, 10.0, 13.0)  # half-widths -3 +4 and -4 +3


@pytest.mark.parametrize(
    "correlation, low, high",
    [
        (0.0, 15 - 5, 15 + 5),  # hypot(3, 4)
        (1.0, 15 - 7, 15 + 7),  # 3 + 4
        (0.5, 15 - 37**0.5, 15 + 37**0.5),  # (25 + 49) / 2
    ],
)
def test_half_widths_of_a_sum_follow_the_correlation(correlation, low, high):
    summed = estimates_sum([A, B], correlation)
    assert (summed.low, summed.seconds, summed.high) == pytest.approx((low, 15, high))


@pytest.mark.parametrize(
    "parts, below, above",
    [
        ([A, A], 6, 8),  # 3 + 3 and 4 + 4
        ([A, A, B], 52**0.5, 73**0.5),  # hypot(6, 4) and hypot(8, 3)
        ([A, B, A], 52**0.5, 73**0.5),
    ],
)
def test_equal_parts_are_of_one_kernel_and_err_alike(parts, below, above):
    """Also where the errors of different kernels cancel."""
    summed = estimates_sum(parts, 0.0)
    assert summed.seconds == sum(p.seconds for p in parts)
    assert summed.low == pytest.approx(summed.seconds - below)
    assert summed.high == pytest.approx(summed.seconds + above)


def test_a_sum_with_a_bound_is_a_bound_and_outside_is_passed_on():
    summed = estimates_sum([A, Estimate(1.0, outside=True)], 1)
    assert (summed.low, summed.seconds, summed.high, summed.outside) == (3.0, None, None, True)


def test_no_parts_take_no_time():
    assert estimates_sum([], 1) == Estimate(0.0, 0.0, 0.0)


def test_a_difference_has_the_errors_of_both_sides():
    saved = difference(B, A)
    assert saved is not None
    # below: B may be 4 less, A 4 more; above: B may be 3 more, A 3 less
    assert (saved.low, saved.seconds, saved.high) == pytest.approx((5 - 32**0.5, 5, 5 + 18**0.5))
    assert difference(B, Estimate(1.0)) is None


@pytest.mark.parametrize("correlation", [-0.1, 1.1])
def test_a_correlation_is_between_0_and_1(correlation):
    with pytest.raises(ValueError, match="give 0 to 1"):
        estimates_sum([A], correlation)
