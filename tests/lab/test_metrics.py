"""Scores against values worked out by hand."""

import numpy as np
import pytest

from pullfocus.lab.protocols import metrics

ALL = np.ones((2, 3), bool)
G = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]])


def test_abs_rel_and_delta1_by_hand():
    d = np.array([[1.1, 2.0, 6.0], [1.0, 1.0, 4.0]])
    assert metrics.abs_rel(d, G, ALL) == pytest.approx((0.1 + 0 + 0.5 + 0 + 0.5 + 0) / 6)
    assert metrics.delta1(d, G, ALL) == pytest.approx(4 / 6)


def test_alignment_undoes_any_scale_and_shift():
    target = 1 / G
    fitted = metrics.align_least_squares(7 * target - 3, target, ALL)
    np.testing.assert_allclose(fitted, target, atol=1e-12)


def test_alignment_of_a_constant_gives_the_mean():
    fitted = metrics.align_least_squares(np.full((2, 3), 5.0), 1 / G, ALL)
    np.testing.assert_allclose(fitted, np.mean(1 / G))


def test_affine_depth_of_true_disparity_is_the_truth():
    depth = metrics.affine_depth(0.3 / G + 2, G, ALL, 10)
    np.testing.assert_allclose(depth, G)


def test_convention_rank_correlation_is_plus_one_for_larger_is_nearer():
    assert metrics.rank_correlation(1 / G**2, 1 / G, ALL) == pytest.approx(1)
    assert metrics.rank_correlation(G, 1 / G, ALL) == pytest.approx(-1)
    assert metrics.rank_correlation(np.zeros((2, 3)), G, ALL) == 0


def test_ranks_average_ties():
    np.testing.assert_allclose(metrics.ranks(np.array([3.0, 1.0, 3.0, 2.0])), [2.5, 0, 2.5, 1])


def test_boundary_f1_is_one_for_the_truth_and_zero_for_a_flat_map():
    truth = np.ones((8, 8))
    truth[:, 4:] = 2.0
    valid = np.ones_like(truth, bool)
    smooth = np.repeat(np.linspace(1, 1.2, 8)[None], 8, 0)
    # Depth Pro's rule: of four directions only one has edges, so precision and recall are 1/4.
    assert metrics.boundary_f1(truth, truth, valid) == pytest.approx(0.25)
    assert metrics.boundary_f1(smooth, truth, valid) == 0


def test_boundary_f1_sees_all_four_directions():
    truth = np.ones((9, 9))
    truth[3:6, 3:6] = 2.0
    assert metrics.boundary_f1(truth, truth, np.ones_like(truth, bool)) == pytest.approx(1)


def test_ordinal_accuracy_counts_clear_pairs_only():
    truth = np.linspace(1, 5, 100).reshape(10, 10)
    valid = np.ones_like(truth, bool)
    assert metrics.ordinal_accuracy(truth, truth, valid) == 1
    assert metrics.ordinal_accuracy(-truth, truth, valid) == 0


def test_person_margin_compares_rows_of_the_same_height():
    mask = np.zeros((6, 6), bool)
    mask[1:5, 2:4] = True
    ground = np.repeat(np.arange(6.0)[:, None], 6, 1)
    assert metrics.person_margin(ground, mask) == pytest.approx(0)
    assert metrics.person_margin(ground + 2.0 * mask, mask) > 0
    assert metrics.person_margin(ground, np.zeros_like(mask)) is None


def _half_mask():
    mask = np.zeros((6, 8), bool)
    mask[:, 4:] = True
    return mask


def test_mask_recall_by_hand():
    # one of four directions has an edge, and all of it is found
    step = np.where(_half_mask(), 2.0, 1.0)
    assert metrics.mask_boundary_recall(step, _half_mask()) == pytest.approx(0.25)
    assert metrics.mask_boundary_recall(1 / step, _half_mask()) == 0
    square = np.zeros((9, 9), bool)
    square[3:6, 3:6] = True
    assert metrics.mask_boundary_recall(1.0 + square, square) == pytest.approx(1)


def test_mask_recall_counts_a_ramp_once_where_it_is_steepest():
    ramp = np.repeat(np.array([1, 1, 1.3, 1.7, 2.6, 3.4, 4.4, 4.4])[None], 6, 0)
    assert metrics.mask_boundary_recall(ramp, _half_mask()) == pytest.approx(0.25)
    elsewhere = np.repeat(np.array([1, 2.6, 3.4, 4.4, 5.6, 5.6, 5.6, 5.6])[None], 6, 0)
    assert metrics.mask_boundary_recall(elsewhere, _half_mask()) == 0


def test_delta_powers_and_the_near_cap_by_hand():
    d = np.array([[1.3, 2.0, 8.0], [1.0, 3.0, 4.0]])
    assert metrics.delta(d, G, ALL, 1) == pytest.approx(3 / 6)
    assert metrics.delta(d, G, ALL, 2) == pytest.approx(5 / 6)
    assert metrics.affine_depth(1 / G, G, ALL, 10, near_m=1.5).min() == 1.5
