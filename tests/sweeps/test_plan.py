"""What a list of experiments comes to."""

import pytest

from conceptspace.recipes import FAMILIES, recipe
from conceptspace.sweeps.plan import compute_key, cost_key, grown, plan_sweep, probe_key, run_key
from sweeps.fake import named, several


def test_experiments_with_equal_settings_share_a_run_and_its_seeds():
    plan = plan_sweep([named("a"), (named("b"), [1, 7]), named("c", 0.002)], 2)
    assert [(run.folder, run.names, run.seeds) for run in plan.runs] == [
        ("a", ("a", "b"), (0, 1, 7)),
        ("c", ("c",), (0, 1)),
    ]


def test_an_experiment_that_is_listed_twice_is_one():
    (run,) = plan_sweep([named("a"), named("a")], 1).runs
    assert run.names == ("a",)


def test_a_run_on_labelled_images_is_known_by_what_they_are():
    (run,) = plan_sweep([recipe("digits")], 1).runs
    assert run.experiment.world.fingerprint is not None
    assert run.key != run_key(recipe("digits"))


def test_a_run_is_known_by_everything_but_its_name():
    assert run_key(named("a")) == run_key(named("b")) != run_key(named("a", 0.002))


def test_two_settings_under_one_name_are_refused_naming_the_field():
    with pytest.raises(ValueError, match=r"called 'a' and differ: training\.learning_rate is"):
        plan_sweep([named("a"), named("a", 0.002)], 1)


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="at least one experiment"):
        plan_sweep([], 1)


@pytest.mark.parametrize("seeds", [0, [], [0, 0], [-1]])
def test_wrong_seeds_are_refused(seeds):
    with pytest.raises(ValueError, match="seeds must be at least 1, or distinct"):
        plan_sweep([(named("a"), seeds)], 1)
    with pytest.raises(ValueError, match="seeds must be at least 1, or distinct"):
        plan_sweep([named("a")], seeds)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_settings_of_a_family_are_computed_alike_and_cost_the_same(family):
    made = FAMILIES[family]()
    assert len({run_key(experiment) for experiment in made}) == len(made)
    assert len({compute_key(experiment) for experiment in made}) == 1
    assert len({cost_key(experiment) for experiment in made}) == 1


def test_what_takes_longer_costs_more():
    plain = named("a")
    longer = plain.replace(training=plain.training.replace(steps=50))
    larger = plain.replace(world=plain.world.replace(image_size=16))
    assert len({cost_key(plain), cost_key(longer), cost_key(larger)}) == 3
    assert compute_key(plain) == compute_key(longer) != compute_key(larger)


def test_probes_are_shared_by_what_is_learned_in_another_way_and_by_no_other_space():
    assert probe_key(named("a")) == probe_key(named("b", 0.002))
    assert probe_key(recipe("colour-sweep:0.1")) == probe_key(recipe("weight-decay:0.1"))
    assert probe_key(recipe("colour-sweep:0.1")) != probe_key(recipe("colour-sweep:0.137"))


def test_experiments_and_seeds_are_added_to_a_plan_and_keep_their_folders():
    old = plan_sweep(several(2), 2)
    again = [named("another-name"), *several(3)]
    whole = grown(old, plan_sweep(again, 3))
    assert [(run.folder, run.seeds) for run in whole.runs] == [
        ("run-0", (0, 1, 2)),
        ("run-1", (0, 1, 2)),
        ("run-2", (0, 1, 2)),
    ]
    assert whole.runs[0].experiment == old.runs[0].experiment
    assert grown(whole, plan_sweep(again, 1)).runs[0].seeds == (0, 1, 2)


def test_a_plan_never_loses_nor_changes_an_experiment():
    old = plan_sweep(several(2), 2)
    with pytest.raises(ValueError, match="run-1 is there and is not in the list"):
        grown(old, plan_sweep(several(1), 2))
    with pytest.raises(ValueError, match=r"run-1 has other settings: training\.learning_rate"):
        grown(old, plan_sweep([named("run-0"), named("run-1", 0.5)], 2))


def test_a_part_of_a_plan_leaves_the_rest_as_it_is():
    old = plan_sweep(several(2), 2)
    whole = grown(old, plan_sweep([named("new", 0.9), named("again")], 3), is_part=True)
    assert [(run.folder, run.seeds) for run in whole.runs] == [
        ("run-0", (0, 1, 2)),
        ("run-1", (0, 1)),
        ("new", (0, 1, 2)),
    ]
    with pytest.raises(ValueError, match="run-1 has other settings"):
        grown(old, plan_sweep([named("run-1", 0.5)], 2), is_part=True)
