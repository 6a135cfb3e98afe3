"""The texts of the pages: one YAML file a language, all with the same keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

import yaml

LANGUAGES: Final = ("en", "zh")


class Texts:
    """The texts of one language; a key that is not there is a mistake of ours, and raises."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, key: str, **values: object) -> str:
        return self.texts[key].format(**values) if values else self.texts[key]

    def word(self, group: str, name: str) -> str:
        """A word of the data in the reader's language; a site's own attribute is shown as it is called."""
        return self.texts.get(f"{group}.{name}", name.replace("_", " "))


def read(language: str) -> Texts:
    """Read the catalogue of a language."""
    document = yaml.safe_load(files(__name__).joinpath(f"{language}.yaml").read_text(encoding="utf-8"))
    return Texts(language, dict(_flat("", document)))


def _flat(prefix: str, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", str(value)


def preferred(accepted: str, fallback: str) -> str:
    """The language that an Accept-Language header (RFC 9110, 12.5.4) likes best among ours."""
    found: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            found.append((-_weight(weight), place, language))
    return min(found)[2] if found and min(found)[0] < 0 else fallback


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0
