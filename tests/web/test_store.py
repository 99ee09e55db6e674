from __future__ import annotations

import pytest

from pullfocus.errors import CannotWriteError
from pullfocus.web.store import Store, plain_name


@pytest.fixture
def store():
    made = Store(cap_mb=0.01, max_age_s=100)
    yield made
    made.close()


def test_ids_cannot_be_guessed_and_paths_are_private(store):
    ids = {store.place("a.jpg").id for _ in range(200)}
    assert len(ids) == 200
    assert all(len(id_) == 22 for id_ in ids)
    assert store.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "given",
    ["../../etc/passwd", "..\\..\\boot.ini", "a\0b.jpg", "/", "", "...", "x" * 999, "\n.png"],
)
def test_names_from_outside_are_harmless(store, given):
    kept = store.place(given)
    assert kept.path.parent == store.folder
    assert "/" not in kept.name
    assert "\\" not in kept.name
    assert kept.name.isprintable()
    assert 0 < len(kept.name) <= 120


@pytest.mark.parametrize(
    "name",
    ["Été à la mer (2).jpeg", "हिन्दी.jpg", "ภาพถ่าย.jpg", "café.jpg", "می‌خواهم.png", "தமிழ்.tif",
     "写真.heic", "🎉 party.jpg", "בְּרֵאשִׁית.jpg"],
)  # fmt: skip
def test_ordinary_names_stay(name):
    """Marks are no letters of their own to Unicode, and belong to names all the same."""
    assert plain_name(name) == name


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\ufeff", "\u00ad", "\u2028", "\x7f", "\ue000"]
)
def test_what_makes_a_name_look_like_another_goes(hidden):
    assert plain_name(f"photo{hidden}gpj.exe") == "photo_gpj.exe"


def test_a_path_keeps_no_suffix_from_outside(store):
    assert store.place("list.m3u8").path.suffix == ""
    assert store.place("out", suffix=".png").path.suffix == ".png"


def test_what_was_begun_beside_a_file_goes_with_it(store):
    kept = store.place("out", suffix=".mp4")
    parts = kept.path.with_name(f".{kept.path.name}.parts")
    parts.mkdir()
    (parts / "000000.bin").write_bytes(b"x")
    kept.path.with_name(f".{kept.path.name}.abcd.part").write_bytes(b"x")
    store.drop(kept.id)
    assert not list(store.folder.iterdir())


@pytest.mark.parametrize("id_", ["", "..", "x" * 22 + "/", "a" * 21, "ÄÖÜ" * 8])
def test_unknown_ids_find_nothing(store, id_):
    assert store.find(id_) is None


def test_a_full_store_refuses_and_makes_room_by_age(store):
    first = store.place("a.bin")
    first.path.write_bytes(b"x" * 20_000)
    with pytest.raises(CannotWriteError):
        store.place("b.bin")
    first.touched -= 61
    second = store.place("b.bin")
    assert store.find(first.id) is None
    assert not first.path.exists()
    assert store.find(second.id) is second


def test_old_files_go(store):
    kept = store.place("a.bin")
    kept.path.write_bytes(b"x")
    kept.touched -= 101
    store.tidy()
    assert not kept.path.exists()


def test_close_leaves_nothing():
    made = Store(cap_mb=1, max_age_s=1)
    made.place("a.bin").path.write_bytes(b"x")
    made.close()
    assert not made.folder.exists()
