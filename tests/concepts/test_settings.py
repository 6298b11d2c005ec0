import pytest
from pydantic import Field

from conceptspace.concepts import Settings, SettingsError


class Inner(Settings):
    rate: float = Field(default=0.5, gt=0.0)


class Outer(Settings):
    steps: int = Field(default=10, ge=1)
    inner: Inner = Inner()


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Outer().steps = 3  # pyright: ignore


def test_settings_survive_the_way_through_json():
    settings = Outer(steps=7, inner=Inner(rate=0.1))
    assert Outer.from_json(settings.to_json()) == settings


def test_a_refusal_names_the_field_the_value_and_what_would_be_right():
    with pytest.raises(
        SettingsError, match=r"Outer\.steps: .*greater than or equal to 1 \(got 0\)"
    ):
        Outer(steps=0)


def test_a_refusal_gives_the_path_to_a_nested_field():
    with pytest.raises(SettingsError, match=r"Outer\.inner\.rate: .*greater than 0 \(got -1"):
        Outer.from_json('{"inner": {"rate": -1}}')


def test_an_unknown_field_is_refused_with_the_one_that_may_be_meant():
    with pytest.raises(
        SettingsError, match=r"Outer\.stepz: there is no such field: did you mean steps\?"
    ):
        Outer(stepz=3)
    with pytest.raises(SettingsError, match=r"Outer\.inner\.rat: .*did you mean rate\?"):
        Outer.from_json('{"inner": {"rat": 1}}')
    with pytest.raises(SettingsError, match=r"Outer\.hue: there is no such field, but .*steps"):
        Outer(hue=1)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(number):
    with pytest.raises(SettingsError, match=r"Inner\.rate: .*finite"):
        Inner(rate=number)


def test_text_that_is_not_json_is_refused():
    with pytest.raises(SettingsError, match="Outer: Invalid JSON"):
        Outer.from_json("{steps: 3")


def test_every_refused_field_gets_a_line():
    with pytest.raises(SettingsError) as refusal:
        Outer(steps=0, colour="red")
    assert len(str(refusal.value).splitlines()) == 2


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(SettingsError) as refusal:
        Outer(steps="x" * 5000)
    assert len(str(refusal.value)) < 300


def test_replace_changes_only_what_it_is_told():
    changed = Outer(steps=7).replace(inner=Inner(rate=2.0))
    assert changed == Outer(steps=7, inner=Inner(rate=2.0))


def test_replace_validates_again():
    with pytest.raises(SettingsError, match=r"Outer\.steps"):
        Outer().replace(steps=-1)


def test_replace_refuses_an_unknown_field_and_lists_the_known_ones():
    with pytest.raises(SettingsError, match="no field 'epochs'; it has inner, steps"):
        Outer().replace(epochs=3)
