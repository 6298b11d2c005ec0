"""Contrasts of patched accuracies over seeds."""

import numpy as np
import pytest

from conceptspace.dynamics.patching import PatchReadings, patch_contrasts

NUM = 40


def readings(chance, other=0.0, untrained=0.0, shows=True, num_seeds=6, seed=0):
    """Samples of a map (donor, recipient) of chances; prompting fails before the last."""
    rng = np.random.default_rng(seed)
    chance = np.asarray(chance, dtype=float)
    num = len(chance)
    right = rng.random((num_seeds, num, num, NUM)) < chance[:, :, None]
    others = [rng.random((num_seeds, num, NUM)) < p for p in (other, untrained)]
    fails = np.ones((num_seeds, num), dtype=bool)
    return PatchReadings(
        right.astype(float), *(o.astype(float) for o in others), fails,
        np.broadcast_to(shows, num_seeds),
    )  # fmt: skip


def test_a_late_path_that_elicits_from_early_networks_is_a_gain():
    """Early networks: 0.9 with the last path, 0.1 with their own; the last one 0.1 with theirs."""
    found = patch_contrasts([readings([[0.1, 0.1], [0.9, 0.9]])], np.random.default_rng(0), 200)
    for name, wanted in (("gain", 0.8), ("over another seed", 0.9), ("early into late", 0.8)):
        assert found[name].value == pytest.approx(wanted, abs=0.08)
        assert found[name].interval[0] > 0.6


def test_where_the_network_decides_there_is_no_gain():
    found = patch_contrasts([readings([[0.1, 0.9], [0.1, 0.9]])], np.random.default_rng(0), 200)
    assert found["gain"].interval[0] < 0 < found["gain"].interval[1]
    assert found["early into late"].interval[0] < 0 < found["early into late"].interval[1]


def test_a_seed_that_never_shows_the_class_tells_nothing():
    shows = np.array([True, False, True, False, True, True])
    found = patch_contrasts(
        [readings([[0.1, 0.1], [0.9, 0.9]], shows=shows)], np.random.default_rng(0), 200
    )
    assert np.isnan(found["gain"].per_seed[0]).tolist() == (~shows).tolist()
    nobody = readings([[0.1, 0.1], [0.9, 0.9]], shows=False)
    assert np.isnan(patch_contrasts([nobody], np.random.default_rng(0), 200)["gain"].value)


def test_the_last_recipient_is_not_an_early_one():
    assert not readings(np.ones((3, 3))).early[:, -1].any()


def test_settings_of_different_seeds_are_refused():
    with pytest.raises(ValueError, match="the same number of seeds"):
        patch_contrasts(
            [readings(np.ones((2, 2))), readings(np.ones((2, 2)), num_seeds=5)],
            np.random.default_rng(0),
        )
