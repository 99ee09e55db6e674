"""Encoded parts on the disk, so that a video that was interrupted can go on where it was.

A part is a stretch of encoded frames that stands alone: its packets one after the other in a file,
and a list of their times beside it, which is written last. A kill leaves whole parts behind.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.files import write_whole
from pullfocus.json_files import read_json


@dataclass(slots=True)
class PartWriter:
    """Write one part; without `finish` it does not count."""

    path: Path
    rows: list[dict[str, Any]] = field(default_factory=list)

    def write(self, packets: list[av.Packet]) -> None:
        """Append packets.

        Raises:
            CannotWriteError: the disk is full.
        """
        try:
            with self.path.open("ab") as file:
                for packet in packets:
                    file.write(bytes(packet))
        except OSError as problem:
            raise _cannot_write(self.path, problem) from None
        self.rows += [
            {"pts": p.pts, "duration": p.duration, "key": p.is_keyframe, "size": p.size}
            for p in packets
        ]

    def finish(self) -> None:
        """Close the part, so that it counts."""
        if self.rows:
            write_whole(self.path.with_suffix(".json"), json.dumps(self.rows).encode())


class Parts:
    """The folder of parts beside an output.

    Args:
        fingerprint: everything that decides what the frames look like; parts made with another
            one are not gone on with.
    """

    def __init__(self, folder: Path, fingerprint: dict[str, Any]) -> None:
        self.folder = folder
        self._fingerprint = json.loads(json.dumps(fingerprint))

    def begin(self, resume: bool) -> int:
        """Make the folder or find it again; return how many frames are done.

        Raises:
            UsageError: the parts there are of other settings, or of another video.
            UnreadableInputError: the plan of the parts is damaged.
            CannotWriteError: the folder cannot be made.
        """
        plan = self.folder / "plan.json"
        if resume and plan.is_file():
            if read_json(plan, "The plan", "run without --resume") != self._fingerprint:
                raise UsageError(
                    f"The parts in {self.folder} were made with other settings or from another "
                    "video; run without --resume to begin anew."
                )
            return sum(len(_index(path)) for path in self._finished())
        self.remove()
        try:
            self.folder.mkdir(mode=0o700)  # a clip that is private stays so in its parts
        except OSError as problem:
            raise _cannot_write(self.folder, problem) from None
        write_whole(plan, json.dumps(self._fingerprint, indent=1).encode())
        return 0

    def new_part(self) -> PartWriter:
        """Return a writer for the part after the finished ones."""
        path = self.folder / f"{len(self._finished()):06d}.bin"
        path.unlink(missing_ok=True)
        return PartWriter(path)

    def packets(self, time_base: Fraction) -> Iterator[av.Packet]:
        """Yield all packets in the order of decoding, with decoding times that never go back."""
        delay = max((_reordering(self._times(path)) for path in self._finished()), default=0)
        waiting: deque[int] = deque()
        for path in self._finished():
            shown = sorted(self._times(path))
            if not waiting:
                waiting.extend(_before(shown, delay))
            for packet, time in zip(_read(path, time_base), shown, strict=True):
                waiting.append(time)
                packet.dts = waiting.popleft()
                yield packet

    def end(self) -> int:
        """Return the tick at which the last frame ends."""
        rows = (row for path in self._finished() for row in _index(path))
        return max((row["pts"] + (row["duration"] or 0) for row in rows), default=0)

    def end_s(self, time_base: Fraction) -> float:
        """Return the same in seconds."""
        return float(self.end() * time_base)

    def remove(self) -> None:
        """Delete the folder and its parts."""
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()

    def _finished(self) -> list[Path]:
        found = sorted(self.folder.glob("[0-9]*.json"))
        return [path for number, path in enumerate(found) if path.stem == f"{number:06d}"]

    @staticmethod
    def _times(path: Path) -> list[int]:
        return [row["pts"] for row in _index(path)]


def _cannot_write(place: Path, problem: OSError) -> CannotWriteError:
    return CannotWriteError(
        f"Cannot write '{place}': {(problem.strerror or str(problem)).lower()}; choose another "
        "folder or free some space, then go on with --resume."
    )


def _reordering(times: list[int]) -> int:
    """Count by how many places a packet is shown earlier than it is decoded, at most."""
    rank = {time: place for place, time in enumerate(sorted(times))}
    return max(place - rank[time] for place, time in enumerate(times))


def _before(shown: list[int], delay: int) -> list[int]:
    """Make up the decoding times of the first frames, before the first is shown."""
    step = max(1, shown[1] - shown[0]) if len(shown) > 1 else 1
    return [shown[0] - step * (delay - place) for place in range(delay)]


def _index(path: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return content


def _read(path: Path, time_base: Fraction) -> Iterator[av.Packet]:
    with path.with_suffix(".bin").open("rb") as file:
        for row in _index(path):
            packet: av.Packet = av.Packet(file.read(row["size"]))
            packet.pts, packet.duration, packet.time_base = row["pts"], row["duration"], time_base
            packet.is_keyframe = row["key"]
            yield packet
