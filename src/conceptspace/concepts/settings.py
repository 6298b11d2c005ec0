"""The base of every settings object: frozen, validated, serialisable, and free of torch."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class SettingsError(ValueError):
    """A setting was refused. The message names the field, the value and what would be right."""


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
            raise SettingsError(describe_errors(type(self).__name__, error)) from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read settings from JSON text.

        Raises:
            SettingsError: if the text is not JSON or does not describe these settings.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise SettingsError(describe_errors(cls.__name__, error)) from None

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


def describe_errors(owner: str, error: ValidationError) -> str:
    """One line for each field that was refused: path, value, and what would be right."""
    lines = []
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "there is no such field"
        where = f"{owner}.{path}" if path else owner
        # A whole-object check has the entire object as its input, which would bury the message.
        given = f" (got {_shorten(item['input'])})" if path and item["type"] != "missing" else ""
        lines.append(f"{where}: {message}{given}")
    return "\n".join(lines)


def _shorten(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
