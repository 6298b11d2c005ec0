"""The base of every settings object: frozen, validated, serialisable, and free of torch."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Problem(NamedTuple):
    """One setting that was refused."""

    path: tuple[str, ...]
    """The fields that lead to it, from the settings that were being made."""
    message: str


class SettingsError(ValueError):
    """A setting was refused. The message names the field, the value and what would be right."""

    problems: tuple[Problem, ...] = ()
    """Each refused field, where the message is made of them."""

    @classmethod
    def of(cls, owner: "type[Settings]", error: ValidationError) -> "SettingsError":
        """One line for each field that was refused: path, value, and what would be right."""
        problems, name = tuple(_problems(owner, error)), owner.__name__
        refusal = cls("\n".join(f"{'.'.join((name, *path))}: {text}" for path, text in problems))
        refusal.problems = problems
        return refusal


class Settings(BaseModel):
    """A frozen group of settings. Unknown fields are refused.

    Raises:
        SettingsError: at construction, when a value is wrong; the message lists each field's path,
            the value that was given, and what is expected.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise SettingsError.of(type(self), error) from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read settings from JSON text.

        Raises:
            SettingsError: if the text is not JSON or does not describe these settings.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise SettingsError.of(cls, error) from None

    def to_json(self) -> str:
        """The settings as indented JSON that `from_json` reads back."""
        return self.model_dump_json(indent=2) + "\n"

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated again."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        unknown = set(changes) - set(fields)
        if unknown:
            raise SettingsError(
                f"{type(self).__name__} has no field {sorted(unknown)[0]!r}; "
                f"it has {', '.join(sorted(fields))}"
            )
        return type(self)(**(fields | changes))


def kind_or(default: str) -> Callable[[Any], str]:
    """Discriminator of settings by their `kind`; those without one are of the default's.

    So what was the only kind once is written down as it was then, and read again.
    """

    def kind(given: Any) -> str:
        if isinstance(given, dict):
            return str(given.get("kind", default))
        return getattr(given, "kind", default)

    return kind


def _problems(owner: type[Settings], error: ValidationError) -> Iterator[Problem]:
    for item in error.errors():
        path = tuple(str(part) for part in item["loc"])
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, SettingsError) and cause.problems:
            # Settings inside settings refuse with an error of their own: make its paths longer.
            yield from (Problem(path + inner.path, inner.message) for inner in cause.problems)
            continue
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = f"there is no such field{_meant(owner, path)}"
        if item["type"] == "model_type":
            message = f"must be a {item.get('ctx', {}).get('class_name')}"
        # A whole-object check has the entire object as its input, which would bury the message.
        given = f" (got {_shorten(item['input'])})" if path and item["type"] != "missing" else ""
        yield Problem(path, message + given)


def _meant(owner: type[Settings], path: Sequence[str]) -> str:
    """The field whose name is nearest to one that does not exist, as a question; or nothing."""
    *groups, name = path
    for group in groups:
        inner = owner.model_fields[group].annotation if group in owner.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, Settings)):
            return ""
        owner = inner
    near = difflib.get_close_matches(name, owner.model_fields, 1)
    return f": did you mean {near[0]}?" if near else f", but {', '.join(owner.model_fields)}"


def _shorten(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
