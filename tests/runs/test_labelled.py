"""A run on labelled images of one's own, from the folder to the report."""

import json
import shutil

import pytest
from PIL import Image

import conceptspace as cs
from conceptspace.cli import main
from conceptspace.derived import derive
from readers_folders import CONCEPTS, make_folder, rows, write_table
from runs.tiny import tiny_experiment


def experiment_on(folder, table):
    world = cs.FolderWorld(
        path=str(folder), table=str(table), concepts=CONCEPTS, image_size=8, channels=1
    )
    tiny = tiny_experiment()
    return tiny.replace(
        name="mine",
        space=world.space,
        world=world,
        training=tiny.training.replace(steps=12, images_per_class=10),
        measurement=tiny.measurement.replace(num_checkpoints=2, first_checkpoint=6),
        probe=cs.EnsembleProbeSettings(members=2, steps=5),
        inversion=cs.InversionSettings(),
        elicitation=(cs.OverPrompt(concept="colour", strengths=(0.5,)),),
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    root = tmp_path_factory.mktemp("labelled")
    folder, table = make_folder(root, per_class=14)
    out = cs.run(experiment_on(folder, table), root / "run", seeds=1, workers=1)
    return folder, table, out


def test_a_run_on_a_folder_has_claims_report_signal_and_a_judged_probe(done):
    _, _, out = done
    assert (out / "report.html").stat().st_size > 10_000
    found = json.loads((out / "findings.json").read_text())
    assert found["signal"]["colour"]["signal"] is None
    assert found["signal"]["colour"]["finite"] > 0
    assert sum(map(sum, found["probe"]["confusion"]["colour"])) == 4 * 3
    assert 0 <= found["probe"]["doubtful"] <= 1


def test_a_run_knows_its_data(done):
    folder, table, out = done
    known = cs.load_run(out).experiment
    assert known.world.fingerprint is not None
    assert experiment_on(folder, table).identified() == known


def test_a_run_is_not_continued_on_changed_data(done, tmp_path, capsys):
    folder, table, out = done
    kept = tmp_path / "kept.png"
    name = folder / rows(14)[0][0]
    shutil.copy(name, kept)
    try:
        Image.new("RGB", (12, 12), (1, 2, 3)).save(name)
        with pytest.raises(cs.RunError, match=r"world.fingerprint is"):
            cs.run(experiment_on(folder, table), out, seeds=1)
        assert main(["run", str(out)]) == 1
        assert "the data have changed since they were first read" in capsys.readouterr().err
    finally:
        shutil.copy(kept, name)


def test_the_report_is_made_without_the_data_and_says_so(done, tmp_path):
    folder, _, out = done
    away = folder.with_name("away")
    folder.rename(away)
    copy = tmp_path / "run"
    shutil.copytree(out, copy)
    try:
        notes = derive(copy, second_process=False)["notes"]
    finally:
        away.rename(folder)
    assert any("the report goes without concept signal" in note for note in notes)


def test_too_few_images_are_refused_before_the_probe_is_trained(done, tmp_path):
    folder, table, _ = done
    made = experiment_on(folder, table)
    few = made.replace(training=made.training.replace(images_per_class=12))
    with pytest.raises(cs.DataError, match="11 are there to learn from, fewer than"):
        cs.run(few, tmp_path / "run", seeds=1)
    with pytest.raises(cs.DataError, match="mine: class 00"):
        cs.sweep([few], tmp_path / "sweep", seeds=1)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_described(done, capsys, monkeypatch, tmp_path):
    folder, table, _ = done
    monkeypatch.setenv("COLUMNS", "120")
    line = ["describe", str(folder), "--table", str(table), "--image-size", "8"]
    assert main([*line, "--columns", "colour", "place"]) == 0
    shown = capsys.readouterr().out
    assert "held out" in shown
    assert "00 (blue left): 11 to train on, fewer than 100" in shown
    assert "training.images_per_class can be 11 at most" in shown
    assert main(line) == 2
    assert "--columns must name" in (told := capsys.readouterr().err)
    assert "table.csv has file, colour, place" in told
    assert main([*line, "--columns", "colour", "--file-column", "picture"]) == 2
    assert "--file-column must name" in capsys.readouterr().err
    few = tmp_path / "few.csv"
    write_table(few, rows(1)[:1])
    assert main(["describe", str(folder), "--table", str(few), "--columns", "colour"]) == 2
    assert "changes nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "message"),
    [("nothing", "there is no recipe 'nothing'"), ("colour-sweep", "is a family of recipes")],
)
def test_what_cannot_be_described_is_told(target, message, capsys):
    assert main(["describe", target]) == 2
    assert message in capsys.readouterr().err


def test_recipes_and_written_spaces_are_described(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    path = tmp_path / "space.yaml"
    path.write_text("concepts:\n  colour: [red, blue]\n")
    assert main(["describe", str(path)]) == 0
    assert main(["describe", "digits"]) == 0
    shown = capsys.readouterr().out
    assert "0 red, 1 blue" in shown
    assert "No class is too rare to use" in shown
