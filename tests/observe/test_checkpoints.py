import pickle

import pytest
import safetensors.torch
import torch

import conceptspace as cs


@pytest.mark.parametrize(
    ("names", "pattern", "expected"),
    [
        (["step=0100.safetensors", "step=0020.safetensors"], "step={step}.safetensors", [20, 100]),
        (["v2_step-7.pt", "v2_step-10.pt", "notes.txt"], "*{step}*", [7, 10]),
        (["checkpoint-500", "checkpoint-1000", "final"], "checkpoint-{step}", [500, 1000]),
        (["ema_5.pt", "raw_5.pt"], "ema_{step}.pt", [5]),
    ],
)
def test_steps_are_read_from_names(names, pattern, expected, tmp_path):
    for name in names:
        (tmp_path / name).touch()
    assert [step for step, _ in cs.find_checkpoints(tmp_path, pattern)] == expected


@pytest.mark.parametrize(
    ("names", "pattern", "message"),
    [
        (["ema_5.pt", "raw_5.pt"], "*{step}*", "ema_5.pt and raw_5.pt are both step 5"),
        (["last.pt"], "*{step}*", r"nothing in .* \(there is last.pt\)"),
        ([], "*{step}*", "it is empty"),
        (["5.pt"], "*.pt", "must hold {step} once"),
    ],
)
def test_folders_that_say_no_step_are_refused(names, pattern, message, tmp_path):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(cs.RunError, match=message):
        cs.find_checkpoints(tmp_path, pattern)


def test_weights_come_from_safetensors_and_from_plain_dictionaries(tmp_path):
    weights = {"a": torch.arange(3.0)}
    safetensors.torch.save_file(weights, tmp_path / "1.safetensors")
    torch.save(weights, tmp_path / "1.pt")
    for name in ("1.safetensors", "1.pt"):
        assert torch.equal(cs.read_weights(tmp_path / name)["a"], weights["a"])


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a checkpoint was executed",))


def test_files_that_could_run_code_are_refused_with_advice(tmp_path):
    torch.save({"model": Bomb()}, tmp_path / "1.pt")
    (tmp_path / "2.pt").write_bytes(pickle.dumps(Bomb()))
    torch.save({"step": 3, "model": {}}, tmp_path / "3.pt")
    (tmp_path / "4.safetensors").write_bytes(b"broken")
    for name, message in (("1.pt", "could run code"), ("2.pt", "could run code"),
                          ("3.pt", "save model.state_dict"), ("4.safetensors", "damaged"),
                          ("5.pt", "no such file")):  # fmt: skip
        with pytest.raises(cs.RunError, match=message):
            cs.read_weights(tmp_path / name)
