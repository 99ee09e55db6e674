"""Configurations of transformers models: read as any JSON, and their numbers have bounds."""

import json

import pytest

from pullfocus.depth import find_card
from pullfocus.errors import MissingModelError, UnreadableInputError

CONFIG = {"model_type": "dpt", "patch_size": 16, "image_size": 384}
PREPROCESSOR = {
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
    "size": {"height": 384, "width": 384},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return tmp_path


def test_a_sound_folder_is_read(folder):
    assert find_card(folder).preprocessing.size_hw == (384, 384)


@pytest.mark.parametrize(
    "change",
    [
        {"size": {"height": 10**7, "width": 384}},
        {"size": {"height": "tall", "width": 384}},
        {"size": {"height": [384], "width": 384}},
        {"size": {"height": 0, "width": 384}},
        {"image_std": [0.5, 0, 0.5]},
        {"image_mean": ["grey", 0, 0]},
        {"rescale_factor": 0},
        {"rescale_factor": 1e300},
        {"ensure_multiple_of": 10**6},
    ],
)
def test_preprocessing_out_of_bounds_is_one_sentence(folder, change):
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR | change))
    with pytest.raises(UnreadableInputError, match=r"The preprocessing in .* cannot be understood"):
        find_card(folder)


@pytest.mark.parametrize(
    "change", [{"hidden_size": 10**9}, {"backbone_config": [{"depth": 10**6}]}]
)
def test_a_network_of_no_sane_size_is_not_built(folder, change):
    (folder / "config.json").write_text(json.dumps(CONFIG | change))
    with pytest.raises(UnreadableInputError, match="asks for a network with"):
        find_card(folder)


def test_damaged_configurations_name_their_file(folder):
    for name in ("preprocessor_config.json", "config.json"):
        (folder / name).write_text("{")
        with pytest.raises(UnreadableInputError, match=rf"The model file .*{name} is not JSON"):
            find_card(folder)
    (folder / "config.json").unlink()
    with pytest.raises(MissingModelError, match=r"holds no config\.json"):
        find_card(folder)
