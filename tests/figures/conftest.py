"""Made-up runs, each made once."""

import pytest

from conceptspace.figures.evidence import Evidence
from figures.example import example_evidence


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    return example_evidence(num_seeds=3, num_steps=14)


@pytest.fixture(scope="session")
def three_concepts() -> Evidence:
    return example_evidence(
        num_seeds=1, num_steps=6, concepts=("colour", "size", "background"), num_samples=8
    )
