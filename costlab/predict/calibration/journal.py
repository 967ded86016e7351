"""What was measured so far, a line each, so that a run that ends early goes on where it was.

The journal lies beside the device file, which is written when the run ends: `FILE.part`. Its first
line has the facts, each other one a point, a network, or why a point failed. A line that was cut
while it was written is left out.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, Any

from ..._narrow import StrPath, json_object
from ..._text import shown
from ...trace.decoded import MisfitError
from .. import device_rows as rows
from ..device_file import MOST_BYTES
from ..device_record import Calibration, DeviceFacts, NetworkPoint, Point
from ..kernels import Kernel
from ..prediction import ProfileError

Case = tuple[Kernel, str, str]  # a kernel in a dtype and a layout


@dataclass
class Done:
    """What was measured so far. `failures`: the cases that failed, and why."""

    points: list[Point] = field(default_factory=list[Point])
    networks: list[NetworkPoint] = field(default_factory=list[NetworkPoint])
    failures: dict[Case, str] = field(default_factory=dict[Case, str])
    failed_networks: list[str] = field(default_factory=list[str])
    host: float = 0.0
    seconds: float = 0.0

    @property
    def cases(self) -> set[Case]:
        """What needs no second try."""
        return {(p.kernel, p.dtype, p.layout) for p in self.points} | set(self.failures)

    def calibration(self, facts: DeviceFacts) -> Calibration:
        """All of it."""
        failed = Counter((*self.failures.values(), *self.failed_networks))
        return Calibration(
            facts, tuple(self.points), tuple(self.networks), self.host, self.seconds, failed
        )


def part_of(path: StrPath) -> str:
    """Where the journal of a device file lies."""
    return f"{os.fspath(path)}.part"


class Journal:
    """The journal's open file; each line is on the disk when its method returns."""

    def __init__(self, path: str, facts: DeviceFacts | None):
        """Opened for more lines; with `facts` a new one. Raises OSError."""
        self.path = path
        if facts is None:
            _end_line(path)
        self._file: IO[str] = open(path, "w" if facts else "a", encoding="utf-8")  # noqa: SIM115 it stays open
        if facts:
            self._line({"facts": rows.facts_object(facts)})

    def point(self, point: Point) -> None:
        """A kernel was measured."""
        self._line({"family": point.kernel.family, "point": rows.point_row(point)})

    def network(self, network: NetworkPoint) -> None:
        """A network was measured."""
        self._line({"network": rows.network_row(network)})

    def failure(self, case: Case | None, why: str) -> None:
        """A kernel, or a network (None), was not."""
        if case is None:
            return self._line({"failed": why})
        kernel, dtype, layout = case
        sizes = rows.sizes_row(kernel)
        self._line({"failed": why, "family": kernel.family, "case": [dtype, layout, sizes]})

    def run(self, host: float, seconds: float) -> None:
        """The seconds that the host takes for an operation, and that measuring took so far."""
        self._line({"host": host, "seconds": seconds})

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def _line(self, value: dict[str, object]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _end_line(path: str) -> None:
    """End a last line that was cut, so that the next one begins anew."""
    with open(path, "rb+") as file:
        if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
            file.write(b"\n")


def read_journal(path: str) -> tuple[DeviceFacts, Done]:
    """What a journal has. Lines that were cut are left out. Raises ProfileError for a file that is
    no journal, and for one of more than `MOST_BYTES`."""
    facts, done = None, Done()
    try:
        if os.path.getsize(path) > MOST_BYTES:
            raise ProfileError(
                f"{shown(path)} holds more than {MOST_BYTES >> 20} MiB, the most that the journal "
                "of a calibration may; remove it to start again"
            )
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if facts is None:
                    facts = _facts(line)
                else:
                    _read_line(line, done)
    except OSError as e:
        raise ProfileError(f"cannot read {shown(path)}: {e.strerror}") from None
    except MisfitError:
        facts = None
    if facts is None:
        raise ProfileError(
            f"{shown(path)} is not the journal of a calibration; remove it to start again"
        )
    return facts, done


def _facts(line: str) -> DeviceFacts:
    try:
        doc = json_object(json.loads(line)) or {}
    except (ValueError, RecursionError):
        doc = {}
    return rows.facts_of(doc.get("facts"))


def _read_line(line: str, done: Done) -> None:
    """Add what a line says; nothing where it is not whole."""
    try:
        doc = json_object(json.loads(line))
        if doc is not None:
            _add(doc, done)
    except (ValueError, RecursionError, MisfitError):
        return


def _add(doc: dict[str, Any], done: Done) -> None:
    if "point" in doc:
        done.points.append(rows.point_of(rows.text_of(doc.get("family"), "family"), doc["point"]))
    elif "network" in doc:
        done.networks.append(rows.network_of(doc["network"]))
    elif "case" in doc:
        dtype, layout, sizes = rows.exactly(doc["case"], 3, "a case")
        kernel = rows.kernel_of(doc.get("family"), sizes)
        case = kernel, rows.text_of(dtype, "dtype"), rows.text_of(layout, "layout")
        done.failures[case] = rows.text_of(doc.get("failed"), "failed")
    elif "failed" in doc:
        done.failed_networks.append(rows.text_of(doc["failed"], "failed"))
    elif "host" in doc:
        done.host = rows.number(doc["host"], "host", 0, 1e5)
        done.seconds = rows.number(doc.get("seconds"), "seconds", 0, 1e9)


def journal_of(calibration: Calibration, path: str) -> Done:
    """A journal at `path` of what a device file has, and its content."""
    done = Done(list(calibration.points), list(calibration.networks))
    done.host, done.seconds = calibration.host, calibration.seconds
    journal = Journal(path, calibration.facts)
    for point in done.points:
        journal.point(point)
    for network in done.networks:
        journal.network(network)
    journal.run(done.host, done.seconds)
    journal.close()
    return done
