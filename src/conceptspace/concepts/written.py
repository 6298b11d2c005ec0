"""Concepts that are written down in YAML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.settings import SettingsError


def concepts_from_yaml(source: Path | str) -> tuple[Concept, ...]:
    """The concepts of a file or a text.

    Args:
        source: the path of a file, or YAML text of several lines. `concepts` is a mapping of names
            to words, or a list with the fields of each `Concept`.

    Raises:
        SettingsError: if it cannot be read or describes no concepts.
    """
    concepts = _yaml(source)
    if isinstance(concepts, Mapping):
        return tuple(_named(name, words) for name, words in concepts.items())
    if not isinstance(concepts, list):
        raise SettingsError(
            "concepts: give names with their words, as in 'colour: [red, blue]', or a list of "
            f"concepts, not {concepts!r}"
        )
    return tuple(_listed(index, fields) for index, fields in enumerate(concepts))


def _listed(index: int, fields: object) -> Concept:
    if not isinstance(fields, Mapping):
        raise SettingsError(f"concepts.{index}: give its fields, not {fields!r}")
    if set(fields) == {"name", "labels"}:
        return _named(fields["name"], fields["labels"])
    return Concept(**fields)


def _named(name: object, words: object) -> Concept:
    if not isinstance(words, list):
        raise SettingsError(f"concepts.{name}: give its words in brackets, not {words!r}")
    # YAML reads yes and no, on and off, as true and false, which no table says.
    wrong = next((word for word in words if isinstance(word, bool)), None)
    if wrong is not None:
        raise SettingsError(f"concepts.{name}: YAML takes a word for {wrong}: put it in quotes")
    return Concept.named(str(name), [str(word) for word in words])


def _yaml(source: Path | str) -> Any:
    """What stands under `concepts`."""
    try:
        import yaml
    except ImportError as error:
        raise SettingsError(
            "reading YAML needs PyYAML: pip install 'conceptspace[data]'"
        ) from error
    try:
        if isinstance(source, str) and "\n" in source:
            text = source
        else:
            text = Path(source).read_text(encoding="utf-8")
        _refuse_doubled(yaml.compose(text, yaml.SafeLoader))
        read = yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"cannot read {source}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"source: this is no plain YAML ({error})") from error
    if not isinstance(read, Mapping) or set(read) != {"concepts"}:
        found = ", ".join(map(str, read)) if isinstance(read, Mapping) else repr(read)[:60]
        raise SettingsError(f"{_named_source(source)}: give one entry, 'concepts', not {found}")
    return read["concepts"]


def _named_source(source: Path | str) -> str:
    return "source" if isinstance(source, str) and "\n" in source else str(source)


def _refuse_doubled(node: Any) -> None:
    """Refuse an entry that is there twice, of which YAML would take the last."""
    if node is None or not hasattr(node, "value") or isinstance(node.value, str):
        return
    keys = [key.value for key, _ in node.value] if node.id == "mapping" else []
    for key in keys:
        if keys.count(key) > 1:
            raise SettingsError(f"source: {key!r} is there twice: give each name once")
    for part in node.value:
        for one in part if isinstance(part, tuple) else (part,):
            _refuse_doubled(one)
