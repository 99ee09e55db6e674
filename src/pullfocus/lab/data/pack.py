"""Pictures packed into one file: the way photos, frames and rendered scenes reach training.

A pack is a folder with ``index.json`` (one row an item), ``rgb.bin`` (uint8 h w 3),
``disparity.bin`` (float16 at its own size, larger = nearer, NaN = unknown) and ``person.bin``
(float16 at the size of disparity, 0..1, NaN = unknown). It is read through memory maps, so that
many processes share one copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pullfocus.errors import UnreadableInputError


@dataclass(frozen=True)
class Item:
    """One picture with disparity of any size (relative, larger = nearer, NaN = unknown).

    ``person`` has the size of disparity, 0..1, NaN = unknown; None = unknown everywhere.
    """

    name: str
    source: str
    rgb: np.ndarray
    disparity: np.ndarray
    person: np.ndarray | None = None


@dataclass(frozen=True)
class _Row:
    name: str
    source: str
    rgb_at: int
    rgb_hw: tuple[int, int]
    disparity_at: int
    disparity_hw: tuple[int, int]


def write_pack(folder: Path, items: Iterable[Item]) -> int:
    """Write a pack, index last (a pack without index is unfinished); return the item count."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[_Row] = []
    with (
        (folder / "rgb.bin").open("wb") as rgb,
        (folder / "disparity.bin").open("wb") as disp,
        (folder / "person.bin").open("wb") as person,
    ):
        for item in items:
            h, w = item.rgb.shape[:2]
            dh, dw = item.disparity.shape
            rows.append(
                _Row(item.name, item.source, rgb.tell(), (h, w), disp.tell() // 2, (dh, dw))
            )
            rgb.write(np.ascontiguousarray(item.rgb, np.uint8).tobytes())
            disp.write(item.disparity.astype(np.float16).tobytes())
            mask = np.full((dh, dw), np.nan) if item.person is None else item.person
            person.write(mask.astype(np.float16).tobytes())
    (folder / "index.json").write_text(json.dumps([asdict(row) for row in rows]))
    return len(rows)


class Pack(Sequence[Item]):
    """Random access to a written pack; reading processes open the files anew.

    Raises:
        FileNotFoundError: the folder holds no finished pack.
        UnreadableInputError: the pack holds no pictures.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows = [_Row(**row) for row in json.loads((folder / "index.json").read_text())]
        if not self._rows:
            raise UnreadableInputError(f"The pack {folder} holds no pictures; delete it.")
        self._rgb = np.memmap(folder / "rgb.bin", np.uint8, "r")
        self._disparity = np.memmap(folder / "disparity.bin", np.float16, "r")
        self._person = np.memmap(folder / "person.bin", np.float16, "r")

    def __reduce__(self) -> tuple[type[Pack], tuple[Path]]:
        return Pack, (self._folder,)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> Item:  # type: ignore[override]
        row = self._rows[i]
        h, w = row.rgb_hw
        dh, dw = row.disparity_hw
        rgb = self._rgb[row.rgb_at : row.rgb_at + h * w * 3].reshape(h, w, 3)
        maps = slice(row.disparity_at, row.disparity_at + dh * dw)
        disparity = self._disparity[maps].reshape(dh, dw)
        return Item(row.name, row.source, rgb, disparity, self._person[maps].reshape(dh, dw))
