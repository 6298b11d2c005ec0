"""Which submodules could be sites, and the command that lists them."""

import pytest
import torch
from torch import nn

from conceptspace.adapters.reference import named_object
from conceptspace.adapters.sites import find_sites
from conceptspace.cli import main
from foreign_models import (
    Generator,
    PixelTransformer,
    VectorGenerator,
    sample_gan,
    sample_transformer,
    sample_vectors,
)

TWO = torch.tensor([0, 3])


def candidates(model, sample, conditions):
    return [site.name for site in find_sites(model, sample, conditions) if site.is_candidate]


def test_the_places_at_which_the_condition_enters_are_found():
    assert candidates(Generator(), sample_gan, torch.arange(4)) == ["embedding"]
    assert candidates(VectorGenerator(), sample_vectors, torch.eye(4)) == ["first", "second"]
    assert candidates(PixelTransformer(), sample_transformer, torch.arange(4)) == ["prefix"]


def test_what_each_output_depends_on_is_told():
    sites = {s.name: s for s in find_sites(PixelTransformer(), sample_transformer, TWO)}
    assert sites["prefix"].shape == (2, 16)
    assert sites["prefix"].kind == "Embedding"
    assert not sites["tone"].heeds_condition  # no pixel is there at the first call
    assert sites["tone"].changes
    assert sites["head"].heeds_condition
    assert sites["head"].changes


def test_outputs_without_a_row_for_each_condition_are_no_candidates():
    class Doubled(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(4, 2)

    def sample(model, classes, generator):
        return model.embedding(torch.cat([classes, classes]))[: len(classes)]

    (site,) = find_sites(Doubled(), sample, torch.arange(4))
    assert site.heeds_condition
    assert not site.has_rows
    assert not site.is_candidate


def test_equal_conditions_are_refused():
    with pytest.raises(ValueError, match="conditions must be two or more that differ"):
        find_sites(Generator(), sample_gan, torch.zeros(3, dtype=torch.long))
    with pytest.raises(ValueError, match="conditions must be two or more that differ"):
        find_sites(Generator(), sample_gan, ["a red circle"])


MODULE = """
import torch
from foreign_models import Generator, sample_gan

def trial():
    return Generator(), sample_gan, torch.arange(4)

def deaf():
    def sample(model, classes, generator):
        return sample_gan(model, 0 * classes, generator)
    return Generator(), sample, torch.arange(4)

def nothing():
    return None

number = 3
"""


@pytest.fixture
def my_module(tmp_path, monkeypatch):
    """A user's module in the working directory, under a name of its own."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_the_command_lists_the_candidates(my_module, capsys):
    assert main(["sites", f"{my_module}:trial"]) == 0
    out = capsys.readouterr().out
    assert "embedding" in out
    assert "(4, 6)" in out
    assert "layers" not in out
    assert "4 other submodules" in out


def test_the_command_lists_every_submodule_if_asked(my_module, capsys):
    assert main(["sites", f"{my_module}:trial", "--every"]) == 0
    assert "layers.2" in capsys.readouterr().out


def test_the_command_says_if_nothing_heeds_the_condition(my_module, capsys):
    assert main(["sites", f"{my_module}:deaf"]) == 0
    assert "No submodule's output is the condition's alone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{}", "must be a module and a name in it"),
        ("{}:trail", "has no 'trail'"),
        ("no_such_module:trial", "there is no module 'no_such_module'"),
        ("{}:number", "must be a function that returns (model, sample, conditions)"),
        ("{}:nothing", "must be a function that returns (model, sample, conditions)"),
    ],
)
def test_the_command_says_what_it_wants(my_module, reference, message, capsys):
    assert main(["sites", reference.format(my_module)]) == 2
    assert message in capsys.readouterr().err


def test_a_module_that_lacks_something_it_needs_says_what(tmp_path, monkeypatch):
    (tmp_path / "lacking_module.py").write_text("import no_such_package_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_package_at_all"):
        named_object("lacking_module:trial")
