import pytest
import torch
from jaxtyping import TypeCheckError

import shape_checks
from conceptspace.data.render import render


def call_with_a_wrong_shape():
    render({"shape": torch.zeros(2, 2, 2)}, image_size=8)


def test_a_wrong_shape_is_noticed_in_the_tests():
    with shape_checks._raises(TypeCheckError, match=r"render\b"):
        call_with_a_wrong_shape()


def test_a_refusal_is_tested_with_the_message_that_users_see():
    with pytest.raises((ValueError, KeyError)):
        call_with_a_wrong_shape()
