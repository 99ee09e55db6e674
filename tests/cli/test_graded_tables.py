"""The predecessor's own tests: MonoDepthDeFocus, tables 7.1 to 7.4, each of five samples.

Source: papers/monodepthdefocus-and-monodepth.txt, chapter 7.
"""

import cv2
import numpy as np
import pytest

from pullfocus.photo import load

SAMPLES = [f"sample{index}.png" for index in range(5)]


@pytest.mark.parametrize("name", SAMPLES)
def test_table_7_1_depth_module(cli, folder, name, make_photo):
    make_photo(folder / name, seed=int(name[6]))
    assert cli("graded", name, "--depth-only")[0] == 0
    disparity = np.load(folder / name.replace(".png", "_disp.npy"))
    assert disparity.shape == (48, 64)
    assert disparity.dtype == np.float32
    assert not (folder / name.replace(".png", "_defocus.png")).exists()


@pytest.mark.parametrize("name", SAMPLES)
def test_table_7_2_defocus_module(cli, folder, name, make_photo, make_depth):
    stem = name.removesuffix(".png")
    make_photo(folder / name, seed=int(name[6]))
    given = make_depth(folder / f"{stem}_disp.npy").read_bytes()
    code, _, err = cli("graded", name, "--at", "0.2,0.5", "--method", "median", "--strength", "5")
    assert code == 0
    assert f"{stem}_defocus.png" in err
    assert (folder / f"{stem}_disp.npy").read_bytes() == given
    before, after = load(folder / name).encoded, load(folder / f"{stem}_defocus.png").encoded
    assert np.array_equal(before[:, :32], after[:, :32])
    assert not np.array_equal(before[:, 32:], after[:, 32:])


@pytest.mark.parametrize("name", SAMPLES)
def test_table_7_3_integration(cli, folder, name, make_photo):
    stem = name.removesuffix(".png")
    make_photo(folder / name, seed=int(name[6]))
    assert cli("graded", name, "--depth-only")[0] == 0
    assert cli("graded", name, "--at", "0.5,0.5")[0] == 0
    assert (folder / f"{stem}_defocus.png").is_file()


@pytest.mark.parametrize("method", ["gaussian", "average", "median", "bilateral", "disc", "mixed"])
@pytest.mark.parametrize("name", SAMPLES[:1])
def test_table_7_4_system(cli, folder, name, method, make_photo):
    make_photo(folder / name)
    assert cli("graded", name, "--at", "0.5,0.5", "--method", method)[0] == 0
    made = {path.name for path in folder.iterdir()} - {"cat.png", "cat.npy"}
    assert made == {name, "sample0_disp.npy", "sample0_disp.png", "sample0_defocus.png"}
    colours = cv2.imread(str(folder / "sample0_disp.png"))
    assert colours.shape == (48, 64, 3)


def test_names_with_dots_and_spaces(cli, folder, make_photo):
    make_photo(folder / "my photo v1.2.png")
    assert cli("graded", "my photo v1.2.png", "--at", "0.5,0.5")[0] == 0
    assert (folder / "my photo v1.2_defocus.png").is_file()
    assert (folder / "my photo v1.2_disp.npy").is_file()


def test_the_predecessors_four_dimensional_disparity_is_read(cli, folder, make_photo):
    """monodepth saved some of its maps as (1, 1, h, w) or at the network's size."""
    make_photo(folder / "sample0.png")
    np.save(folder / "sample0_disp.npy", np.full((1, 1, 24, 32), 0.03, np.float32))
    assert cli("graded", "sample0.png", "--at", "0.5,0.5")[0] == 0


def test_a_folder_run_leaves_its_own_outputs_out(cli, folder):
    (folder / "cat.npy").unlink()
    assert cli("graded", ".")[0] == 0
    assert cli("graded", ".")[0] == 0
    assert {path.name for path in folder.iterdir()} == {
        "cat.png", "cat_disp.npy", "cat_disp.png", "cat_defocus.png",
    }  # fmt: skip
