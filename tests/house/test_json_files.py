"""The one reader of JSON: what is no file, too large, too deep or no JSON is a sentence."""

import json
import os

import pytest

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.focus.script import read_script
from pullfocus.json_files import MOST_BYTES, MOST_DEPTH, brief, parse_json, read_json
from pullfocus.pipeline.sidecar import read_sidecar

READERS = [read_sidecar, read_script, lambda path: read_json(path, "The file")]
BAD = {
    "empty": b"",
    "cut": b'{"settings": {"f_number": 1.8',
    "text": b"f_number = 1.8",
    "binary": bytes(range(256)),
    "latin": b'{"model": "\xe9t\xe9"}',
    "NaN": b'{"f_number": NaN}',
    "infinity": b'{"f_number": -Infinity}',
    "overflow": b'{"f_number": 1e999}',
    "huge integer": b'{"f_number": ' + b"9" * 4000 + b"}",
    "longer integer": b'{"f_number": ' + b"9" * 9000 + b"}",
    "surrogate": b'{"depth_file": "\\ud800"}',
    "surrogate key": b'{"\\udfff": 1}',
    "NUL": b'{"depth_file": "a\\u0000b"}',
    "deep": b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1),
    "very deep": b'{"a":' * 150_000,
    "large": b" " * (MOST_BYTES + 1),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_bad_content_is_one_short_sentence(tmp_path, reader, content):
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=r"odd\.json") as refused:
        reader(path)
    assert len(str(refused.value)) < 400 + len(str(path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("reader", READERS)
def test_only_regular_files_are_read(tmp_path, reader):
    places = [tmp_path, tmp_path / "none.json", tmp_path / "a\0b.json"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.json")
        places += [tmp_path / "pipe.json"]
    if os.path.exists("/dev/zero"):
        (tmp_path / "zero.json").symlink_to("/dev/zero")
        (tmp_path / "loop.json").symlink_to("loop.json")
        places += [tmp_path / "zero.json", tmp_path / "loop.json"]
    for place in places:
        with pytest.raises(UnreadableInputError, match="cannot be read"):
            reader(place)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_the_encodings_of_editors_are_read(tmp_path, encoding):
    path = tmp_path / "good.json"
    path.write_bytes(json.dumps({"name": "हिन्दी"}, ensure_ascii=False).encode(encoding))
    assert read_json(path, "The file") == {"name": "हिन्दी"}


def test_what_lies_within_the_limits_is_read(tmp_path):
    nested = 1
    for _ in range(MOST_DEPTH - 1):
        nested = [nested]
    assert parse_json(json.dumps(nested)) == nested
    path = tmp_path / "large.json"
    path.write_text(json.dumps("x" * (MOST_BYTES - 2)))
    assert len(read_json(path, "The file")) == MOST_BYTES - 2


def test_quotes_from_a_file_are_short_and_printable():
    assert brief("a\x1b[2Jb\nc") == "a?[2Jb c"
    assert brief("x" * 500, 10) == "xxxxxxxxxx..."
    assert brief(ValueError()) == "ValueError"


def test_a_long_value_is_not_quoted_whole(tmp_path):
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"sidecar_version": "a\nb" * 9000}))
    with pytest.raises(UnreadableInputError, match="is a whole number"):
        read_sidecar(path)
    for settings in ({"f_number": "9" * 900_000}, {"x" * 900_000: 1}, {"range": ["1" * 900_000]}):
        path.write_text(json.dumps({"settings": settings}))
        with pytest.raises(UsageError, match=r"long\.json") as refused:
            read_sidecar(path)
        assert len(str(refused.value)) < 1000
        path.write_text(json.dumps(settings))
        with pytest.raises(UsageError, match=r"long\.json") as refused:
            read_script(path)
        assert len(str(refused.value)) < 1000
