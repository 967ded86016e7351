"""What is measured again because the machine was slower than usual, on a device with a script."""

import pytest

from costlab.predict.calibration.steadiness import Steadiness

ONE = 1.0  # seconds that a measurement takes here
# a look at the machine: two calls to warm up, and 3 blocks of the product and of the copy; the
# clock of the fake stands still meanwhile


class Scripted:
    """A CPU whose product takes what the script says, look by look; the copy takes 2 s."""

    kind = "cpu"

    def __init__(self, *script):
        self.script, self.now, self.copies = list(script), 0.0, 0

    def seconds(self, call, calls):
        if call().ndim == 1:
            self.copies += calls
            return 2.0
        if calls == 1:  # the first call of a look
            self.product = self.script.pop(0)
        return self.product

    def measurement(self):
        """One measurement: the number of seconds that passed before it."""
        self.now += ONE
        return self.now - ONE


def watched(*script):
    device = Scripted(*script)
    return device, Steadiness(device, clock=lambda: device.now)


def test_at_the_usual_speed_a_measurement_is_taken_once():
    device, steadiness = watched(1.0, 1.02, 0.98)
    assert [steadiness.undisturbed(device.measurement) for _ in range(3)] == [0, 1, 2]
    assert steadiness.wasted == 0 and device.script == []
    assert steadiness.clocks() == {"product_ms": 980, "copy_ms": 2000}


def test_what_is_disturbed_is_measured_again():
    """Once the product has taken 1 s eight times, 3 s are a disturbance."""
    device, steadiness = watched(*[1.0] * 8, 3.0, 1.01)
    for _ in range(8):
        steadiness.undisturbed(device.measurement)
    assert steadiness.undisturbed(device.measurement) == 9  # not 8, which was thrown away
    assert steadiness.wasted == ONE


def test_of_several_disturbed_measurements_the_least_disturbed_one_is_kept():
    device, steadiness = watched(*[1.0] * 30, 3.0, 2.0, 4.0, 5.0)
    for _ in range(30):
        steadiness.undisturbed(device.measurement)
    assert steadiness.undisturbed(device.measurement) == 31
    assert device.script == [] and steadiness.wasted == 4 * ONE


def test_a_machine_that_stays_slow_is_not_waited_for():
    """At most 30% of the time is thrown away, and slow becomes usual."""
    device, steadiness = watched(1.0, *[3.0] * 200)
    found = [steadiness.undisturbed(device.measurement) for _ in range(60)]
    assert len(found) == 60 and steadiness.wasted <= 0.3 * device.now + 4 * ONE
    assert steadiness.usual == 3.0


def test_a_gpu_is_not_looked_at():
    device, steadiness = watched()
    device.kind = "cuda"
    assert steadiness.undisturbed(device.measurement) == 0
    assert steadiness.clocks() == {}


def test_what_fails_fails():
    device, steadiness = watched(1.0)
    with pytest.raises(ZeroDivisionError):
        steadiness.undisturbed(lambda: 1 / 0)
    assert device.script == [1.0]
