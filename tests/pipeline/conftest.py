import numpy as np
import pytest

from pullfocus.types import DepthMap, Photo


@pytest.fixture
def photo():
    rng = np.random.default_rng(3)
    return Photo.from_array(rng.integers(0, 255, (60, 90, 3), np.uint8))


@pytest.fixture
def depth():
    """A step: the left half is near."""
    disparity = np.full((60, 90), 0.2, np.float32)
    disparity[:, :45] = 0.8
    return DepthMap.from_disparity(disparity)
