"""C7 where the answer is known, both ways."""

import json
from dataclasses import replace

import numpy as np
import pytest

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.dataset import draw_dataset
from conceptspace.data.factors import colour, shape, size
from conceptspace.data.mixing import Conditioning, MaskedMixing
from conceptspace.data.picture_text import pictures_as_text, pictures_from_text
from conceptspace.folder import seed_folder
from conceptspace.measure.sampling import prompts
from conceptspace.measure.store import MeasurementStore
from conceptspace.recipes import FAMILIES
from conceptspace.studies.underspecification import NUM_PICTURES, STUDY, analyse, claims
from conceptspace.sweeps.plan import cost_key, plan_sweep
from studies.masked_worlds import (
    LAST_STEP,
    NEVER,
    SHARES,
    delayed,
    indifferent,
    made_up_run,
    never_learned,
)


def concluded(runs):
    findings = {"scale": "made-up"} | analyse(runs, "quick")
    return findings, {claim.id: claim for claim in claims(findings)}


@pytest.fixture(scope="module")
def planted():
    return concluded(delayed())


def test_findings_and_claims_are_plain_json(planted):
    findings, found = planted
    assert json.loads(json.dumps(findings, allow_nan=False)) == findings
    assert tuple(found) == STUDY.tests
    for claim in found.values():
        json.dumps(claim.model_dump(mode="json"), allow_nan=False)


def test_a_planted_delay_is_found(planted):
    claim = planted[1]["C7/slope"]
    assert claim.verdict == "holds"
    assert claim.interval[0] > 0
    # 1800 steps for one whole share are planted, in the path's arrival; 80 % come before.
    assert 1000 < claim.value < 2000
    assert claim.controls["threshold 0.9"]["passed"]
    assert claim.controls["rank correlation"]["value"] > 0.9
    assert claim.controls["times later with all masked"]["interval"][0] > 1


def test_a_planted_bend_is_found(planted):
    claim = planted[1]["C7/bend"]
    assert claim.verdict == "holds"
    assert claim.interval[1] < 0.5
    assert claim.controls["none masked"]["value"] > 0.8
    assert claim.controls["mean of the last three checkpoints"]["passed"]
    assert claim.seeds == 5


def test_never_learned_is_later_than_the_end(planted):
    last = planted[0]["shares"][-1]
    assert last["times"]["0.8"] == [None] * 5
    assert last["medians"]["0.8"] is None
    assert planted[1]["C7/slope"].controls["share of seeds never learned"]["value"] == 0.2


def test_where_masking_changes_nothing_neither_holds():
    findings, found = concluded(indifferent())
    assert {claim.verdict for claim in found.values()} == {"does not hold"}
    low, high = findings["slope"]["0.8"]["steps"]["interval"]
    assert low <= 0 <= high
    assert not found["C7/bend"].controls["none masked less all masked"]["passed"]


def test_a_class_that_is_learned_earlier_with_masks_is_no_delay():
    _, found = concluded([made_up_run(a, 2500 - 1200 * a) for a in SHARES])
    assert found["C7/slope"].verdict == "does not hold"
    assert found["C7/slope"].value < 0


def test_a_class_that_is_never_learned_shows_neither():
    """The blue triangle is red with all masked, but so it is with none."""
    _, found = concluded(never_learned())
    assert found["C7/slope"].verdict == "inconclusive"
    assert "a delay cannot be seen" in found["C7/slope"].controls["reason"]
    assert found["C7/bend"].verdict == "does not hold"
    assert found["C7/bend"].controls["all masked"]["passed"]
    assert not found["C7/bend"].controls["none masked"]["passed"]


def test_a_blue_circle_in_place_of_a_blue_triangle_is_no_bend_to_red():
    runs = [*delayed()[:-1], made_up_run(1.0, NEVER, via=(0.95, 0.1))]
    _, found = concluded(runs)
    assert found["C7/bend"].verdict == "does not hold"


def test_a_red_circle_in_place_of_a_red_triangle_is_no_bend_by_shape():
    runs = [*delayed()[:-1], made_up_run(1.0, NEVER, via=(0.1, 0.1))]
    claim = concluded(runs)[1]["C7/bend"]
    assert claim.controls["all masked"]["passed"]
    assert not claim.controls["blue triangle, shape"]["passed"]
    assert claim.verdict == "does not hold"


def test_fewer_seeds_or_shares_are_inconclusive_and_say_so():
    _, found = concluded(delayed(num_seeds=4))
    assert {claim.verdict for claim in found.values()} == {"inconclusive"}
    assert found["C7/bend"].controls["reason"] == "4 seeds, and 5 are needed"
    _, found = concluded(delayed(shares=(0.0, 1.0)))
    assert found["C7/slope"].controls["reason"] == "2 shares, and 3 are needed"
    _, found = concluded(delayed(shares=(0.0, 0.25, 0.5)))
    assert found["C7/slope"].verdict == "holds"
    assert "from 0 to 0.5 and not from 0 to 1" in found["C7/bend"].controls["reason"]


def test_a_stricter_level_widens_intervals_and_asks_more_of_permutations():
    def at(confidence):
        runs = [
            replace(
                run,
                experiment=run.experiment.replace(
                    findings=run.experiment.findings.replace(confidence=confidence)
                ),
            )
            for run in delayed()
        ]
        return concluded(runs)[1]

    wide, narrow = at(0.998)["C7/bend"], at(0.8)["C7/bend"]
    assert wide.interval[0] < narrow.interval[0] < narrow.interval[1] < wide.interval[1]
    # One of 200 permutations and the order itself are more than 0.002 of 201.
    assert not at(0.998)["C7/slope"].controls["shares permuted"]["passed"]


def test_runs_that_cannot_be_compared_are_refused():
    run = made_up_run(0.5, 2000)
    with pytest.raises(ValueError, match="at least one run"):
        analyse([], "quick")
    with pytest.raises(ValueError, match="the same masked share"):
        analyse([run, run], "quick")
    other = run.experiment.replace(space=ConceptSpace(concepts=(colour(0.2), shape())))
    other = other.replace(space=ConceptSpace(concepts=(colour(0.2), size(0.4))))
    with pytest.raises(ValueError, match="in the masked share alone"):
        analyse([run, replace(run, experiment=other)], "quick")
    for mixing in (MaskedMixing(concept="shape", concept_class="01", share=1.0), None):
        changed = Conditioning() if mixing is None else Conditioning(mixing=mixing)
        wrong = replace(run, experiment=run.experiment.replace(conditioning=changed))
        with pytest.raises(ValueError, match="mask a concept in the training class"):
            analyse([wrong], "quick")


def test_pictures_of_the_held_out_class_are_read_off_the_last_measurement(tmp_path):
    run = made_up_run(1.0, NEVER, num_seeds=2)
    last = run.trajectory.isel(step=[-1])
    shape_ = (*last["off_manifold"].shape[:-1], 6, 5, 5, 3)
    pictures = np.random.default_rng(0).integers(0, 256, shape_, dtype=np.uint8)
    dims = (*last["off_manifold"].dims[:-1], "thumbnail", "row", "column", "channel")
    for seed in range(2):
        measured = last.assign(thumbnail=(dims, pictures)).isel(seed=[seed])
        MeasurementStore(seed_folder(tmp_path, seed)).write(measured)
    found = analyse([replace(run, folder=tmp_path)], "quick")["shares"][0]["pictures"]
    kept = pictures_from_text(found)
    np.testing.assert_array_equal(kept, pictures[:, 0, 3, 0, 0, :NUM_PICTURES])


def test_the_quick_runs_differ_in_the_share_alone():
    plan = plan_sweep(STUDY.experiments("quick"), 1)
    assert [run.experiment.conditioning.mixing.share for run in plan.runs] == list(SHARES)
    assert {run.seeds for run in plan.runs} == {(0, 1, 2, 3, 4)}
    assert len({cost_key(run.experiment) for run in plan.runs}) == 1
    assert {run.experiment.scale for run in plan.runs} == {"quick"}
    first = plan.runs[0].experiment
    for run in plan.runs:
        same = run.experiment.replace(conditioning=first.conditioning, name=first.name)
        assert same == first


def test_the_paper_runs_are_the_family():
    assert [made for made, _ in STUDY.experiments("paper")] == list(
        FAMILIES["underspecification"]()
    )


@pytest.mark.parametrize("share", SHARES)
def test_only_training_prompts_are_masked(share):
    """And those of red triangles alone; the held-out class is asked for by its full name."""
    made = STUDY.experiments("quick")[SHARES.index(share)][0]
    prompter, split, rng = made.prompter, made.split, np.random.default_rng(0)
    trained = draw_dataset(made.world, prompter, split.training(made.space), 8, rng)
    is_masked = (trained.vectors[:, prompter.slice_of("colour")] == 0).all(1).numpy()
    is_red_triangle = (trained.labels.numpy() == [0, 1]).all(1)
    assert is_masked.sum() == 8 * share
    assert not is_masked[~is_red_triangle].any()
    for name in made.space.classes:
        asked = prompts(prompter, split, name, 4, rng)
        assert (asked[:, prompter.slice_of("colour")] > 0).all()
    blue = prompts(prompter, split, "11", 1, rng)[0]
    np.testing.assert_allclose(blue, [*made.space.concept("colour").mean(1), 0, 1], rtol=1e-6)


@pytest.mark.parametrize("make", [delayed, never_learned])
def test_its_figure_is_drawn_whatever_was_learned(make):
    findings, _ = concluded(make())
    assert len(STUDY.figure(findings).axes) == 2  # no pictures were kept
    rng = np.random.default_rng(0)
    for row in findings["shares"]:
        row["pictures"] = pictures_as_text(rng.integers(0, 256, (5, 4, 8, 8, 3), dtype=np.uint8))
    assert len(STUDY.figure(findings).axes) == 2 + 25


def test_the_end_is_that_of_the_run(planted):
    assert {row["end"] for row in planted[0]["shares"]} == {float(LAST_STEP)}
