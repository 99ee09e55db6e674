"""Hostile values in the place of good ones in JSON."""

from __future__ import annotations

import json
from typing import Any

from fuzz_damage import Chance, damaged_bytes

HOSTILE: list[str] = [
    "null", "true", "0", "-1", "-0.0", "1e999", "-1e999", "1e-320", "NaN", "Infinity", "9" * 30,
    "9" * 5000, "2147483648", "0.1e1", "1e300", "9e18", '""', '"\\u0000"', '"\\ud800"',
    '"\\u001b[2J"', '"../../x"', '"/dev/zero"', '"nan"', '"1e9999"', "[]", "{}", "[[[[]]]]",
    '{"a": 1}', "[0.5]", "[1, 2, 3]", "[null, null]", '"' + "x" * 50_000 + '"',
    "[" * 200 + "]" * 200, '"हिन्दी"', '"a\\nb"',
]  # fmt: skip
"""JSON texts that take the place of a value."""


def damaged_json(seed: Any, chance: Chance) -> bytes:
    """Put hostile values in the place of good ones, drop and add keys, damage the text."""
    marked = json.loads(json.dumps(seed))
    texts: dict[str, str] = {}
    for _ in range(int(chance.integers(1, 4))):
        holder = _somewhere(marked, chance)
        if isinstance(holder, dict) and chance.random() < 0.3:
            holder[str(chance.choice(["x", "settings", "at", "kind", "\u200d", "é" * 300]))] = 1
        elif holder:
            place = _place(holder, chance)
            if chance.random() < 0.2:
                del holder[place]
            else:
                mark = f"@{len(texts)}@"
                texts[f'"{mark}"'] = HOSTILE[int(chance.integers(len(HOSTILE)))]
                holder[place] = mark
    text = json.dumps(marked)
    for mark, hostile in texts.items():
        text = text.replace(mark, hostile)
    content = text.encode()
    return damaged_bytes(content, chance) if chance.random() < 0.25 else content


def _somewhere(value: Any, chance: Chance) -> Any:
    """Return a random list or mapping inside a value."""
    while True:
        inner = value.values() if isinstance(value, dict) else value
        deeper = [child for child in inner if isinstance(child, dict | list)]
        if not deeper or chance.random() < 0.4:
            return value
        value = deeper[int(chance.integers(len(deeper)))]


def _place(holder: Any, chance: Chance) -> Any:
    places = list(holder) if isinstance(holder, dict) else range(len(holder))
    return places[int(chance.integers(len(places)))]
