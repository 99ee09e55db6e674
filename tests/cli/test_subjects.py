"""`pullfocus subjects`: what it lists can be given back to --subject."""

import json

import cv2
import numpy as np


def test_it_lists_what_can_be_focused_on(cli, folder):
    code, out, err = cli("subjects", "cat.png", "--depth", "cat.npy")
    assert (code, out) == (0, "")
    assert "#1" in err
    assert "disparity" in err
    assert "array taken as relative disparity" in err


def test_json_holds_boxes_masks_and_distances(cli, folder):
    code, out, _ = cli("subjects", "cat.png", "--depth", "cat.npy", "--json", "--masks", "masks")
    assert code == 0
    (answer,) = json.loads(out)
    assert "--depth-near" in answer["depth"]["notes"][0]
    first = answer["subjects"][0]
    left, top, right, bottom = first["box"]
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    runs = [int(n) for n in first["mask"]["runs"].split()]
    h, w = first["mask"]["size_hw"]
    assert sum(runs) == h * w
    mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(h, w)
    written = cv2.imread(first["mask"]["file"], cv2.IMREAD_GRAYSCALE) > 0
    assert written.shape == (48, 64)
    small = cv2.resize(mask.astype(np.float32), (64, 48), interpolation=cv2.INTER_AREA) > 0.5
    assert (small != written).mean() < 0.05


def test_one_broken_photo_stops_no_list_and_masks_are_told_apart(cli, folder, make_photo):
    make_photo(folder / "cat.bmp", seed=1)
    (folder / "bad.png").write_bytes(b"no")
    code, out, err = cli("subjects", ".", "--json", "--masks", ".")
    answers = {answer["photo"]: answer for answer in json.loads(out)}
    assert code == 1
    assert "bad.png" in err
    assert "cannot read" in answers["bad.png"]["error"].lower()
    for name in ("cat.bmp", "cat.png"):
        files = [subject["mask"]["file"] for subject in answers[name]["subjects"]]
        assert files[0] == f"{name}.1.mask.png"
    (folder / "bad.png").unlink()
    listed = json.loads(cli("subjects", ".", "--json")[1])  # masks are no photos
    assert [answer["photo"] for answer in listed] == ["cat.bmp", "cat.png"]
    assert cli("subjects", ".", "--depth", "cat.npy")[0] == 2


def test_an_id_from_the_list_refocuses(cli, folder):
    cli("subjects", "cat.png", "--depth", "cat.npy")
    code, _, _ = cli(
        "cat.png", "--depth", "cat.npy", "--subject", "#1", "--save-settings", "--style", "graded"
    )
    assert code == 0
    settings = json.loads((folder / "cat.pullfocus.json").read_text())["settings"]
    assert settings["subject"] == "#1"


def test_who_is_not_there_is_refused_with_a_sentence(cli, folder):
    code, _, err = cli("cat.png", "--depth", "cat.npy", "--subject", "face")
    assert code == 2
    assert "no face" in err
    assert "#1" in err
