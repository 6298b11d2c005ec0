"""Swing-by where the answer is known: paths made by the model itself, paths that ignore signals."""

import json

import numpy as np
import pytest

from conceptspace.studies import swing_by, swing_networks
from conceptspace.studies.swing_by import STUDY, analyse, claims, simulate_example
from conceptspace.theory.settings import NetworkSettings
from conceptspace.theory.sim_path import expected_path, lowest_point, slowing, task_of
from studies.theory_worlds import PAIRS, checkpoints, run_with_paths, signals_of

CLOCK = 60.0
"""Steps per unit of gradient flow."""


def sweep(kind="model", num_seeds=5):
    """Paths of the two-layer model; or the weaker concept is first and never falls."""
    rng, steps = np.random.default_rng(4), checkpoints(30)
    runs = []
    for pair in (*PAIRS, (0.8, 0.2)):  # the last has the stronger signal on the other axis
        weak = int(signals_of(pair).argmin())
        sim = expected_path(signals_of(pair), 1.34)
        model = sim.path.copy()
        # Measured paths begin in the middle, where early samples are read, not at 0.
        helped = int(model[: len(model) // 3, weak].argmax())
        model[:helped, weak] = model[helped, weak]
        clocks = CLOCK * np.exp(0.03 * rng.standard_normal(num_seeds))
        paths = np.stack(
            [
                np.stack([np.interp(steps / c, sim.times, model[:, k]) for k in (0, 1)], axis=-1)
                for c in clocks
            ]
        )
        if kind == "reversed":  # always rising, colour first and size at any time
            late = 1200 + 1800 * rng.random(num_seeds)
            size = np.stack([1 / (1 + np.exp(-(steps - at) / 150)) for at in late])
            colour = np.broadcast_to(1 / (1 + np.exp(-(steps - 400) / 60)), size.shape)
            paths = np.stack([colour, size], axis=-1)
        runs.append(run_with_paths(pair, paths, steps))
    return runs


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


@pytest.fixture(scope="module", autouse=True)
def small_networks():
    """Two tiny networks a cell: the numbers of a study are tested by hand below."""
    with pytest.MonkeyPatch.context() as patch:
        few = NetworkSettings(num_points=200, num_epochs=2, width=8, record_every=1)
        patch.setattr(swing_networks, "NETWORK", few)
        patch.setattr(swing_networks, "NUM_NETWORKS", 2)
        patch.setattr(swing_networks, "DIMENSION", 4)
        yield


@pytest.fixture(scope="module")
def planted():
    return concluded(sweep())


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert tuple(found) == STUDY.tests
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_paths_of_the_model_are_predicted_by_it(planted):
    found = planted[1]
    assert found["swing-by/order"].verdict == "holds"
    assert found["swing-by/turn"].verdict == "holds"
    assert found["swing-by/turn"].value > 0.7
    assert found["swing-by/slowing"].value > 0.2
    clock = planted[0]["measured"]["clock"]
    assert clock["factor"]["stronger"]["value"] < 1.3
    assert clock["factor"]["turn"]["value"] < 1.3


def test_paths_that_ignore_the_signals_are_not():
    found = concluded(sweep("reversed"))[1]
    assert found["swing-by/order"].verdict == "does not hold"
    assert found["swing-by/turn"].verdict != "holds"
    assert found["swing-by/slowing"].verdict != "holds"


def test_the_example_swings_by_and_its_diagonal_counterpart_does_not(planted):
    claim = planted[1]["swing-by/sim"]
    assert claim.verdict == "holds"
    assert claim.value == pytest.approx(0.078, abs=0.002)
    assert simulate_example()["cases"]["diagonal alone"]["rise"] == 0


def test_without_the_off_diagonal_start_the_claim_fails(planted, monkeypatch):
    diagonal = swing_by.STARTS["diagonal alone"]
    monkeypatch.setitem(swing_by.STARTS, "every entry", diagonal)
    claim = claims(planted[0] | {"sim": simulate_example()})[0]
    assert claim.verdict == "does not hold"


@pytest.mark.parametrize(
    ("deep", "shallow", "verdict"),
    [(9, 0, "holds"), (9, 9, "does not hold"), (1, 0, "does not hold"), (6, 0, "inconclusive")],
)
def test_networks_are_judged_against_shallow_ones(planted, deep, shallow, verdict):
    counts = [deep, shallow, 3, 0]
    cells = [
        cell | {"appears": [True] * count + [False] * (10 - count)}
        for cell, count in zip(planted[0]["networks"]["cells"], counts)
    ]
    networks = {"num_networks": 10, "epochs": 40, "cells": cells}
    claim = claims(planted[0] | {"networks": networks})[1]
    assert claim.verdict == verdict
    assert claim.value == deep / 10


@pytest.mark.parametrize(
    ("interval", "p_value", "num_settings", "verdict"),
    [
        ([0.3, 0.9], 0.01, 9, "holds"),
        ([0.3, 0.9], 0.2, 9, "does not hold"),
        ([-0.9, -0.1], 0.01, 9, "does not hold"),
        ([-0.1, 0.9], 0.01, 9, "inconclusive"),
        ([0.3, 0.9], 0.01, 4, "inconclusive"),
    ],
)
@pytest.mark.parametrize("what", ["slowing", "turn"])
def test_ranks_are_judged_by_their_interval_and_by_chance(
    planted, what, interval, p_value, num_settings, verdict
):
    measured = planted[0]["measured"]
    made = {"interval": interval, "p_value": p_value, "num_settings": num_settings}
    findings = planted[0] | {"measured": measured | {what: measured[what] | made}}
    found = {claim.id: claim for claim in claims(findings)}
    assert found[f"swing-by/{what}"].verdict == verdict


def test_two_networks_are_too_few(planted):
    assert planted[1]["swing-by/networks"].verdict == "inconclusive"


def test_the_signal_becomes_the_mean_so_that_time_scales_with_its_square():
    assert task_of(np.array([2.0, 4.0]), 2.0).mu == (1.0, 2.0)
    slow, fast = (expected_path(np.array([1.0, 2.0]), unit) for unit in (1.0, 0.5))
    assert slow.turn / fast.turn == pytest.approx(4, rel=0.01)
    assert slow.slowing < 1
    assert np.isnan(expected_path(np.array([1.0, 1.0]), 1.0).turn)


def test_a_lowest_point_counts_only_if_the_path_rises_again():
    curve = np.array([0.5, 0.4, 0.2, 0.1, 0.2, 0.6, 0.9])
    assert lowest_point(curve, 1, 0.0, 0.15) == 3
    assert lowest_point(curve[:4], 1, 0.0, 0.15) == -1
    assert lowest_point(curve * np.nan, 1, 0.0, 0.15) == -1
    path = np.array([[0.0, 0], [1, 0], [1, 0.5]])
    assert slowing(np.array([0.0, 1, 2]), path, 1) == 0.5
    assert np.isnan(slowing(np.array([0.0, 1, 2]), path, 2))


def test_without_a_signal_nothing_is_expected(planted):
    found = {c.id: c for c in claims(planted[0] | {"measured": None})}
    assert found["swing-by/order"].verdict == "inconclusive"
    assert "has no such concept" in found["swing-by/order"].controls["reason"]
    assert STUDY.figure(planted[0] | {"measured": None}).axes


def test_its_figure_is_drawn(planted):
    assert len(STUDY.figure(planted[0]).axes) == 12
