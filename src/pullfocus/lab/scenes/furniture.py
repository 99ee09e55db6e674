"""The shop that fills scenes: everything that layouts place, made of boxes, balls and cards."""

from __future__ import annotations

import numpy as np

from pullfocus.lab.scenes.parts import Part, Shape, placed
from pullfocus.lab.scenes.textures import Stack

Point = tuple[float, float, float]


def _beside(at: Point, x: float, z: float, turn_deg: float) -> Point:
    """Return the point x to the right and z in front of a piece that is turned so."""
    t = np.deg2rad(turn_deg)
    return (at[0] + x * np.cos(t) + z * np.sin(t), at[1], at[2] - x * np.sin(t) + z * np.cos(t))


class Shop:
    """Collects parts; all sizes in metres, every choice from one random generator."""

    def __init__(self, stack: Stack, rng: np.random.Generator) -> None:
        self.stack, self.rng = stack, rng
        self.parts: list[Part] = []

    def _layer(self, kind: str) -> int:
        if kind == "surface" and self.rng.random() < 0.35:
            kind = "photo"
        return int(self.rng.choice(self.stack.kinds[kind]))

    def _plain_layer(self) -> int:
        """Return painted, laminated or wooden: mostly surfaces of little contrast."""
        if self.rng.random() < 0.7:
            return int(self.rng.choice(self.stack.plain))
        return self._layer("surface")

    def _solid(
        self,
        shape: Shape,
        at: Point,
        size: Point,
        turn: float = 0.0,
        kind: str = "surface",
        repeat: float | None = None,
        layer: int | None = None,
    ) -> None:
        if repeat is None:
            repeat = float(self.rng.choice([0.0, 1.0, 2.0])) if shape == "box" else 1.0
        tint = tuple(self.rng.uniform(0.55, 1.25) * self.rng.uniform(0.85, 1.15, 3))
        layer = self._layer(kind) if layer is None else layer
        self.parts.append(Part(shape, placed(at, size, turn), layer, repeat, tint))

    def ground(self, kind: str, side: float, per_metre: float) -> None:
        """Lay a flat square at y = 0."""
        repeat = max(1.0, side * per_metre)
        self._solid("box", (0, -0.5, -side / 2 + 10), (side, 1, side), 0, kind, repeat)

    def land(self, side: float, per_metre: float) -> None:
        """Lay hilly ground (the scene's ``hills``)."""
        self._solid("land", (0, 0, 0), (side, 1, side), 0, "surface", side * per_metre)

    def shell(self, w: float, d: float, h: float, back: float, floor: float = 0.0) -> None:
        """Build floor, ceiling and four walls around the camera; ``back`` = room behind it."""
        z = back - d / 2
        self._solid("box", (0, floor - 0.5, z), (w, 1, d), repeat=float(self.rng.uniform(1, 6)))
        self._solid("box", (0, floor + h + 0.5, z), (w, 1, d), repeat=1.0)
        wall = self._layer("surface")
        for x in (-w / 2 - 0.5, w / 2 + 0.5):
            layer = wall if self.rng.random() < 0.7 else None
            self._solid("box", (x, floor + h / 2, z), (1, h, d), repeat=1.0, layer=layer)
        for end in (back - d - 0.5, back + 0.5):
            self._solid("box", (0, floor + h / 2, end), (w, h, 1), repeat=1.0, layer=wall)
        for _ in range(self.rng.integers(0, 5)):
            size = (self.rng.uniform(0.3, 1.4), self.rng.uniform(0.3, 1.6), 0.05)
            at = (self.rng.uniform(-w / 2, w / 2), floor + self.rng.uniform(1, 2), back - d + 0.03)
            self._solid("box", at, size, 0, "photo", 1.0)

    def furnish(self, at: Point) -> None:
        """Put a random piece of furniture at a point of the floor."""
        makers = [self.table, self.chair, self.cabinet, self.sofa, self.pile, self.lamp, self.plant]
        turn = float(self.rng.choice([0, 90, self.rng.uniform(0, 90)]))
        makers[self.rng.integers(len(makers))](at, turn)

    def _legs(self, at: Point, w: float, d: float, h: float, turn: float, layer: int) -> None:
        t = np.deg2rad(turn)
        thick = self.rng.uniform(0.03, 0.07)
        for sx in (-1, 1):
            for sz in (-1, 1):
                x, z = sx * (w / 2 - thick), sz * (d / 2 - thick)
                x, z = x * np.cos(t) + z * np.sin(t), -x * np.sin(t) + z * np.cos(t)
                foot = (at[0] + x, at[1] + h / 2, at[2] + z)
                self._solid("box", foot, (thick, h, thick), turn, layer=layer)

    def table(self, at: Point, turn: float) -> None:
        """Top and four legs, small things on it."""
        w, d, h = self.rng.uniform(0.6, 1.8), self.rng.uniform(0.5, 1.0), self.rng.uniform(0.4, 0.8)
        layer = self._layer("surface")
        self._solid("box", (at[0], at[1] + h, at[2]), (w, 0.05, d), turn, layer=layer)
        self._legs(at, w, d, h, turn, layer)
        for _ in range(self.rng.integers(0, 4)):
            x, z = self.rng.uniform(-0.3, 0.3, 2) * (w, d)
            self.small_thing((at[0] + x, at[1] + h + 0.025, at[2] + z))

    def chair(self, at: Point, turn: float) -> None:
        """Seat, four legs, back."""
        w, h = self.rng.uniform(0.38, 0.5), self.rng.uniform(0.4, 0.5)
        layer, t = self._layer("surface"), np.deg2rad(turn)
        self._solid("box", (at[0], at[1] + h, at[2]), (w, 0.06, w), turn, layer=layer)
        self._legs(at, w, w, h, turn, layer)
        back = (at[0] - w / 2 * np.sin(t), at[1] + h + 0.25, at[2] - w / 2 * np.cos(t))
        self._solid("box", back, (w, 0.5, 0.04), turn, layer=layer)

    def cabinet(self, at: Point, turn: float) -> None:
        """A closed box, or shelves with things in them."""
        w, h, d = self.rng.uniform(0.4, 1.6), self.rng.uniform(0.5, 2.2), self.rng.uniform(0.3, 0.6)
        self._solid("box", (at[0], at[1] + h / 2, at[2]), (w, h, d), turn, repeat=1.0)

    def sofa(self, at: Point, turn: float) -> None:
        """Seat, back and two arms."""
        w, layer, t = self.rng.uniform(0.8, 2.2), self._layer("surface"), np.deg2rad(turn)
        self._solid("box", (at[0], at[1] + 0.22, at[2]), (w, 0.44, 0.9), turn, layer=layer)
        back = (at[0] - 0.38 * np.sin(t), at[1] + 0.45, at[2] - 0.38 * np.cos(t))
        self._solid("box", back, (w, 0.9, 0.2), turn, layer=layer)
        for side in (-1, 1):
            x, z = side * w / 2 * np.cos(t), -side * w / 2 * np.sin(t)
            arm = (at[0] + x, at[1] + 0.3, at[2] + z)
            self._solid("box", arm, (0.18, 0.6, 0.9), turn, layer=layer)

    def pile(self, at: Point, turn: float) -> None:
        """Boxes on top of one another."""
        y = at[1]
        for _ in range(self.rng.integers(1, 5)):
            size = tuple(self.rng.uniform(0.15, 0.6, 3))
            self._solid("box", (at[0], y + size[1] / 2, at[2]), size, turn + self.rng.normal(0, 15))
            y += size[1]

    def lamp(self, at: Point, turn: float) -> None:
        """A thin pole and a shade."""
        h = self.rng.uniform(1.0, 1.8)
        self._solid("pole", (at[0], at[1] + h / 2, at[2]), (0.03, h, 0.03), turn)
        self._solid("pole", (at[0], at[1] + h, at[2]), (0.35, 0.3, 0.35), turn)

    def plant(self, at: Point, turn: float) -> None:
        """A pot and leaves."""
        self._solid("pole", (at[0], at[1] + 0.15, at[2]), (0.3, 0.3, 0.3), turn)
        self.cutout("leaf", (at[0], at[1] + 0.25, at[2]), self.rng.uniform(0.4, 1.2))

    def pictures(self, w: float, d: float, back: float) -> None:
        """Hang posters, screens and notices on the walls of a shell of this size."""
        for _ in range(self.rng.integers(0, 9)):
            a, b, y = *self.rng.uniform(0.15, 1.0, 2), self.rng.uniform(1.1, 2.0)
            side, along = int(self.rng.integers(-1, 2)), self.rng.uniform(-0.45, 0.45)
            if side == 0:
                at, size = (along * w, y, back - d + 0.02), (a, b, 0.04)
            else:
                at, size = (side * (w / 2 - 0.02), y, back - d / 2 + along * d), (0.04, b, a)
            self._solid("box", at, size, 0, "photo", 1.0)

    def counter(self, at: Point, length: float, turn: float) -> None:
        """Cupboards in a row along a wall, a worktop with things on it, now and then shelves above.

        ``at`` is the middle of the wall's foot; the row stands in front of it, turned with it.
        """
        depth, tall, door = 0.6, self.rng.uniform(0.7, 0.95), self.rng.uniform(0.35, 0.8)
        front, top = self._plain_layer(), self._plain_layer()
        count = max(1, int(length / door))
        for k in range(count):
            x = (k + 0.5 - count / 2) * door
            foot = _beside(at, x, depth / 2, turn)
            size = (door - 0.008, tall, depth)
            self._solid("box", (foot[0], tall / 2, foot[2]), size, turn, repeat=1.0, layer=front)
        middle = _beside(at, 0, depth / 2 + 0.01, turn)
        size = (count * door, 0.04, depth + 0.04)
        self._solid("box", (middle[0], tall + 0.02, middle[2]), size, turn, layer=top)
        for _ in range(self.rng.integers(0, 7)):
            x, z = self.rng.uniform(-0.5, 0.5) * count * door, self.rng.uniform(0.1, 0.5)
            spot = _beside(at, x, z, turn)
            self._desk_thing((spot[0], tall + 0.04, spot[2]), turn)
        if self.rng.random() < 0.4:
            self._hang_shelves(at, count * door * self.rng.uniform(0.4, 1.0), turn)

    def _hang_shelves(self, at: Point, length: float, turn: float) -> None:
        """Closed cupboards on the wall, or boards with books on them."""
        layer, low = self._plain_layer(), self.rng.uniform(1.35, 1.6)
        if self.rng.random() < 0.5:
            middle = _beside(at, 0, 0.17, turn)
            size = (length, 0.65, 0.34)
            self._solid("box", (middle[0], low + 0.32, middle[2]), size, turn, layer=layer)
            return
        for y in (low, low + 0.35):
            middle = _beside(at, 0, 0.13, turn)
            self._solid("box", (middle[0], y, middle[2]), (length, 0.03, 0.26), turn, layer=layer)
            x = -length / 2 + 0.05
            while x < length / 2 - 0.05:
                thick, tall = self.rng.uniform(0.02, 0.06), self.rng.uniform(0.15, 0.28)
                spot = _beside(at, x, 0.12, turn)
                self._solid("box", (spot[0], y + tall / 2, spot[2]), (thick, tall, 0.18), turn)
                x += thick + (0.15 if self.rng.random() < 0.2 else 0.004)

    def desk(self, at: Point, turn: float) -> None:
        """A table with papers, books, cups, perhaps a screen and its keyboard."""
        w, d = self.rng.uniform(0.9, 2.2), self.rng.uniform(0.6, 1.1)
        h, layer = self.rng.uniform(0.68, 0.8), self._plain_layer()
        self._solid("box", (at[0], h, at[2]), (w, 0.04, d), turn, layer=layer)
        self._legs(at, w, d, h, turn, layer)
        for _ in range(self.rng.integers(1, 9)):
            x, z = self.rng.uniform(-0.45, 0.45, 2) * (w, d)
            spot = _beside(at, x, z, turn)
            self._desk_thing((spot[0], h + 0.02, spot[2]), turn)

    def _desk_thing(self, at: Point, turn: float) -> None:
        """A sheet, book, screen with a keyboard, or any small thing."""
        turn += float(self.rng.normal(0, 20))
        what = self.rng.choice(["sheet", "screen", "thing"], p=[0.4, 0.12, 0.48])
        if what == "thing":
            self.small_thing(at)
        elif what == "sheet":
            thick = float(self.rng.choice([0.003, 0.01, 0.03]))
            size = (self.rng.uniform(0.15, 0.35), thick, self.rng.uniform(0.15, 0.35))
            self._solid("box", (at[0], at[1] + thick / 2, at[2]), size, turn, "photo", 1.0)
        else:
            w, h = self.rng.uniform(0.35, 0.6), self.rng.uniform(0.25, 0.38)
            dark = self._plain_layer()
            self._solid(
                "box", (at[0], at[1] + 0.1 + h / 2, at[2]), (w, h, 0.04), turn, "photo", 1.0
            )
            self._solid("box", (at[0], at[1] + 0.06, at[2]), (0.06, 0.12, 0.04), turn, layer=dark)
            keys = _beside(at, 0, 0.25, turn)
            self._solid("box", (keys[0], at[1] + 0.01, keys[2]), (0.42, 0.02, 0.14), turn)

    def slatted_chair(self, at: Point, turn: float) -> None:
        """Seat, four legs and a back of two posts and a few slats."""
        w, h, layer = self.rng.uniform(0.38, 0.5), self.rng.uniform(0.42, 0.5), self._plain_layer()
        self._solid("box", (at[0], h, at[2]), (w, 0.04, w), turn, layer=layer)
        self._legs(at, w, w, h, turn, layer)
        for x in (-w / 2, w / 2):
            post = _beside(at, x, -w / 2, turn)
            self._solid("box", (post[0], h + 0.24, post[2]), (0.035, 0.48, 0.03), turn, layer=layer)
        slat = self.rng.uniform(0.04, 0.12)
        spot = _beside(at, 0, -w / 2, turn)
        for y in np.linspace(h + 0.14, h + 0.46 - slat / 2, self.rng.integers(1, 5)):
            self._solid("box", (spot[0], float(y), spot[2]), (w, slat, 0.02), turn, layer=layer)

    def small_thing(self, at: Point) -> None:
        """A box, ball, can or cut-out of a few centimetres."""
        shape = str(self.rng.choice(["box", "ball", "pole", "card"], p=[0.4, 0.2, 0.3, 0.1]))
        w, h, d = self.rng.uniform(0.04, 0.22, 3)
        if shape == "card":
            self.cutout(str(self.rng.choice(["object", "rods", "leaf"])), at, float(h + 0.1))
            return
        if shape == "ball":
            h = d = w
        if shape == "pole":
            d = w
        turn = float(self.rng.uniform(0, 90))
        self._solid(shape, (at[0], at[1] + h / 2, at[2]), (w, h, d), turn)  # type: ignore[arg-type]

    def slab(self, side: float) -> None:
        """A table top at y = 0."""
        at = (self.rng.normal(0, 0.1), -0.03, -0.6)
        size = (side, 0.06, self.rng.uniform(0.7, 1.2) * side)
        self._solid("box", at, size, self.rng.normal(0, 10), repeat=float(self.rng.uniform(1, 4)))

    def cutout(self, kind: str, at: Point, height: float) -> None:
        """An upright card turned towards the camera (within 25 degrees)."""
        layer = self._layer(kind)
        width = height * float(self.stack.aspect[layer])
        width *= 1 if self.rng.random() < 0.5 else -1
        turn = float(np.rad2deg(np.arctan2(-at[0], -at[2] + 1e-6)) * -1 + self.rng.normal(0, 10))
        self._solid("card", at, (width, height, 1), turn, layer=layer, repeat=1.0)

    def house_row(self, side: int, width: float, length: float) -> None:
        """Houses along one side of a street."""
        z = -self.rng.uniform(-5, 8)
        while z > -length:
            front, tall = self.rng.uniform(5, 18), self.rng.uniform(3, 18)
            deep = self.rng.uniform(4, 12)
            x = side * (width + deep / 2 + self.rng.uniform(0, 1.5))
            kind = "photo" if self.rng.random() < 0.5 else "surface"
            repeat = float(self.rng.integers(1, 4))
            self._solid("box", (x, tall / 2, z - front / 2), (deep, tall, front), 0, kind, repeat)
            z -= front + (self.rng.uniform(0, 8) if self.rng.random() < 0.4 else 0)

    def car(self, at: Point) -> None:
        """Two boxes and four wheels."""
        layer, turn = self._layer("surface"), float(self.rng.normal(0, 4))
        w, h, d = self.rng.uniform(1.6, 2), self.rng.uniform(0.6, 0.9), self.rng.uniform(3.5, 5)
        self._solid("box", (at[0], 0.3 + h / 2, at[2]), (w, h, d), turn, layer=layer)
        top = (at[0], 0.3 + h + 0.28, at[2])
        self._solid("box", top, (w * 0.85, 0.56, d * self.rng.uniform(0.4, 0.7)), turn)
        for sx in (-1, 1):
            for sz in (-1, 1):
                at_wheel = (at[0] + sx * w * 0.45, 0.32, at[2] + sz * d * 0.32)
                self._solid("ball", at_wheel, (0.25, 0.64, 0.64), turn)

    def truck(self, at: Point) -> None:
        """A long high box on wheels, and its cab."""
        turn, layer = float(self.rng.normal(0, 3)), self._layer("surface")
        w, h, d = 2.5, self.rng.uniform(2, 3.2), self.rng.uniform(5, 12)
        kind = "photo" if self.rng.random() < 0.4 else "surface"
        self._solid("box", (at[0], 0.9 + h / 2, at[2]), (w, h, d), turn, kind, 1.0)
        nose = (at[0], 1.5, at[2] + float(self.rng.choice([-1, 1])) * (d / 2 + 1))
        self._solid("box", nose, (2.4, 2.4, 1.8), turn, layer=layer)
        for share in (-0.35, -0.15, 0.35):
            for side in (-1, 1):
                wheel = (at[0] + side * w * 0.45, 0.5, at[2] + share * d)
                self._solid("ball", wheel, (0.3, 1.0, 1.0), turn)

    def bridge(self, distance: float) -> None:
        """A beam across the road on two pillars."""
        height = self.rng.uniform(4.5, 6.5)
        self._solid("box", (0, height, -distance), (60, self.rng.uniform(0.8, 2), 6))
        for x in (-9, 9):
            self._solid("box", (x, height / 2, -distance), (1, height, 1))

    def rail(self, x: float, length: float) -> None:
        """A guard rail, kerb or wall along the road."""
        h = float(self.rng.choice([0.15, 0.7, 2.0]))
        self._solid("box", (x, h / 2, -length / 2), (0.2, h, length))

    def tree(self, at: Point) -> None:
        """A trunk and a crown of leaf cards, or a bush."""
        h = float(self.rng.uniform(1, 9))
        if h > 2.5:
            self._solid("pole", (at[0], h * 0.3, at[2]), (0.05 * h, h * 0.6, 0.05 * h))
        for _ in range(self.rng.integers(1, 5)):
            shift = self.rng.normal(0, 0.12, 2) * h
            base = h * self.rng.uniform(0.3, 0.5) if h > 2.5 else -0.2
            self.cutout("leaf", (at[0] + shift[0], base, at[2] + shift[1]), h * 0.6)

    def rock(self, at: Point) -> None:
        """A ball, half sunk."""
        size = tuple(self.rng.uniform(0.3, 2.5, 3))
        self._solid("ball", at, size, float(self.rng.uniform(0, 90)))

    def mast(self, at: Point) -> None:
        """A lamp post or sign."""
        h = self.rng.uniform(2, 7)
        self._solid("pole", (at[0], h / 2, at[2]), (0.12, h, 0.12))
        if self.rng.random() < 0.5:
            size = (self.rng.uniform(0.4, 1), self.rng.uniform(0.4, 1), 0.05)
            self._solid("box", (at[0], h, at[2]), size, 0, "photo", 1.0)

    def block(self, at: Point, kind: str) -> None:
        """One house."""
        size = tuple(self.rng.uniform(4, 14, 3))
        turn = float(self.rng.uniform(0, 90))
        self._solid("box", (at[0], size[1] / 2 - 1, at[2]), size, turn, kind, 1.0)

    def fence(self, distance: float) -> None:
        """Rods across the picture."""
        for x in np.arange(-8, 8, 1.5):
            self.cutout("rods", (float(x), 0.0, -distance), 1.2)

    def backdrop(self, distance: float) -> None:
        """A wide photo or wall behind everything."""
        w, h = distance * self.rng.uniform(1.5, 4), distance * self.rng.uniform(0.5, 1.6)
        at = (self.rng.normal(0, distance * 0.2), h / 2, -distance)
        kind = "photo" if self.rng.random() < 0.7 else "surface"
        self._solid("box", at, (w, h, 0.5), self.rng.normal(0, 12), kind, 1.0)
