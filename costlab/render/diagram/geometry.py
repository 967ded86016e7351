"""A page, rectangles on it, and pieces of a layout that can be moved and turned over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Point = tuple[float, float]


@dataclass(frozen=True)
class Room:
    """What a page has for a drawing, in points: upright, or turned with `wide` and `high`
    swapped."""

    wide: float
    high: float

    @property
    def turned(self) -> Room:
        return Room(self.high, self.wide)


A4 = Room(559.0, 806.0)  # less 18 points on every side


@dataclass(frozen=True)
class Rect:
    """Left, top, width and height, in points; y grows downwards."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def cx(self) -> float:
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        return self.y + self.h / 2

    def holds(self, other: Rect) -> bool:
        """Whether another rectangle is inside this one."""
        return (
            self.x <= other.x
            and other.right <= self.right
            and self.y <= other.y
            and other.bottom <= self.bottom
        )

    def moved(self, dx: float, dy: float) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.w, self.h)

    def turned(self, height: float) -> Rect:
        """Where it is when a drawing of this height is turned upside down."""
        return Rect(self.x, height - self.bottom, self.w, self.h)


@dataclass(frozen=True)
class Frame:
    """A rectangle around parts: repeated ones with how often on its left, or those of an opened
    block, `box`, with its name along the top."""

    rect: Rect
    label: str
    box: str = ""


@dataclass(frozen=True)
class GridSize:
    """Text that ends at `x` and whose middle is at `y`, in points."""

    x: float
    y: float
    text: str

    def moved(self, dx: float, dy: float) -> GridSize:
        return GridSize(self.x + dx, self.y + dy, self.text)


@dataclass
class Piece:
    """Boxes with their places.

    Attributes:
        width, height: of all of it.
        axis: where the flow enters and leaves, from the left.
        rects: by box id.
        frames: around repeated parts and opened blocks, the outer ones first.
        entries, exits: boxes that the flow enters and leaves by.
        below, above: by box id, the y to which an edge runs straight before it turns: the end of
            the branches that the box ends, the beginning of those that it begins.
        lanes: by edge, the x of the arc that passes the boxes between.
        vias: by edge, points that it passes.
        ways: by edge, all of its points (from one column to the next).
        grid_sizes: beside parts whose output has another grid than their input.
    """

    width: float
    height: float
    axis: float
    rects: dict[str, Rect] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    entries: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    below: dict[str, float] = field(default_factory=dict)
    above: dict[str, float] = field(default_factory=dict)
    lanes: dict[tuple[str, str], float] = field(default_factory=dict)
    vias: dict[tuple[str, str], list[Point]] = field(default_factory=dict)
    ways: dict[tuple[str, str], list[Point]] = field(default_factory=dict)
    grid_sizes: list[GridSize] = field(default_factory=list)

    def moved(self, dx: float, dy: float) -> Piece:
        """The same elsewhere."""
        return replace(
            self,
            rects={k: r.moved(dx, dy) for k, r in self.rects.items()},
            frames=[replace(f, rect=f.rect.moved(dx, dy)) for f in self.frames],
            below={k: y + dy for k, y in self.below.items()},
            above={k: y + dy for k, y in self.above.items()},
            lanes={k: x + dx for k, x in self.lanes.items()},
            vias={k: [(x + dx, y + dy) for x, y in v] for k, v in self.vias.items()},
            ways={k: [(x + dx, y + dy) for x, y in v] for k, v in self.ways.items()},
            grid_sizes=[size.moved(dx, dy) for size in self.grid_sizes],
        )

    def turned(self) -> Piece:
        """Upside down."""
        return replace(
            self,
            rects={k: r.turned(self.height) for k, r in self.rects.items()},
            frames=[replace(f, rect=f.rect.turned(self.height)) for f in self.frames],
            below={k: self.height - y for k, y in self.above.items()},
            above={k: self.height - y for k, y in self.below.items()},
            vias={k: [(x, self.height - y) for x, y in v] for k, v in self.vias.items()},
            ways={k: [(x, self.height - y) for x, y in v] for k, v in self.ways.items()},
            grid_sizes=[replace(size, y=self.height - size.y) for size in self.grid_sizes],
        )

    def take(self, other: Piece) -> None:
        """Adds what another piece holds, at the same place."""
        self.rects |= other.rects
        self.frames += other.frames
        self.below |= other.below
        self.above |= other.above
        self.lanes |= other.lanes
        self.vias |= other.vias
        self.ways |= other.ways
        self.grid_sizes += other.grid_sizes
