"""Settings: a file, then `CMDB_*` variables, then flags, each stronger than the one before."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote, unquote

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource
from pydantic_settings import SettingsError as SourceError

from cmdb.model import ModelError
from cmdb.rules import DEFAULT_STALENESS, SOURCES, Brake, Rules

_SQLITE = "sqlite:///"


class SettingsError(ValueError):
    """A setting that is unknown or makes no sense; says which, where it came from, and what is expected."""


def data_folder() -> Path:
    """Where a newcomer's data goes: `$XDG_DATA_HOME/cmdb`, by default `~/.local/share/cmdb` (XDG base directories)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cmdb"


def config_file() -> Path:
    """The settings file: `$CMDB_CONFIG`, else `$XDG_CONFIG_HOME/cmdb/cmdb.yaml`, by default below `~/.config`."""
    named = os.environ.get("CMDB_CONFIG")
    return (
        Path(named)
        if named
        else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "cmdb" / "cmdb.yaml"
    )


def _embedded(file: Path) -> str:
    """The URL of a file, in SQLAlchemy's spelling: a `%`, `?` or space of its path is escaped."""
    return f"{_SQLITE}{quote(str(file))}"


class Settings(BaseSettings):
    """Everything that can be set. The names in the file are those of the fields; variables put `CMDB_` before them."""

    model_config = SettingsConfigDict(env_prefix="CMDB_", extra="forbid", frozen=True, env_ignore_empty=True)

    store: SecretStr = Field(default_factory=lambda: SecretStr(_embedded(data_folder() / "cmdb.sqlite")))
    operations: SecretStr = SecretStr("")
    key: SecretStr = SecretStr("")
    key_file: Path | None = None
    evidence: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    snmp_port: int = Field(default=161, ge=1, le=65535)
    ssh_port: int = Field(default=22, ge=1, le=65535)
    host_key_policy: str = Field(default="pin", pattern="^(pin|strict)$")
    missing_after: int = Field(default=3, ge=1, description="complete runs without an answer until a CI is missing")
    trust: dict[str, tuple[str, ...]] = Field(
        default={}, description="by attribute or class.attribute, kinds of reporters, the most trusted first"
    )
    staleness_days: dict[str, Annotated[float, Field(gt=0, le=36_500)] | None] = Field(
        default={}, description="by kind of source, days after which an unconfirmed claim is stale; null: never"
    )
    retired_days: dict[str, int] = Field(default={}, description="by class, days of missing until it is retired")
    volatile: dict[str, bool] = Field(
        default={}, description="by attribute or class.attribute, whether it flaps and makes no history"
    )
    brake_share: float | None = Field(
        default=0.2, ge=0, le=1, description="a run that would end more than this share asks first; null: never"
    )
    brake_number: int = Field(default=50, ge=0, description="what a run may end unasked, whatever its share")
    language: str = Field(default="en", pattern="^(en|zh)$")
    history_days: int | None = Field(default=None, ge=1, le=36_500, description="how long history is kept")

    evidence_days: int = Field(default=90, ge=1, le=36_500, description="how long replies that no value needs are kept")
    evidence_bytes: int = Field(
        default=10 * 1024**3, ge=1024**2, description="what all replies may take on disk; the oldest go first"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings  # a third and fourth place to look would only surprise
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls, yaml_file=config_file())

    @model_validator(mode="after")
    def _rules_make_sense(self) -> Self:
        self.rules()
        return self

    def rules(self, scanned: frozenset[str] = frozenset()) -> Rules:
        """What the site decides about truth. Raises ModelError for classes, attributes and kinds that are not known."""
        stale = dict(DEFAULT_STALENESS)
        for kind, days in self.staleness_days.items():
            if kind not in SOURCES:
                raise ModelError(f"staleness_days: unknown kind of source {kind!r}; known: {', '.join(SOURCES)}")
            if days is None:
                stale.pop(kind, None)
            else:
                stale[kind] = timedelta(days=days)
        brake = None if self.brake_share is None else Brake(self.brake_share, self.brake_number)
        return Rules(self.trust, stale, self.missing_after, self.retired_days, self.volatile, scanned, brake)

    @property
    def history(self) -> timedelta | None:
        """How long history is kept; None for ever."""
        return None if self.history_days is None else timedelta(days=self.history_days)

    @property
    def folder(self) -> Path:
        """Where what belongs to the store lies: beside an embedded store, else in the user's data folder."""
        file = self._store_file
        return data_folder() if file is None else file.parent

    @property
    def operations_url(self) -> str:
        """The URL of the operations database; by default an SQLite file beside the store."""
        if given := self.operations.get_secret_value():
            return given
        stem = "cmdb" if self._store_file is None else self._store_file.stem
        return _embedded(self.folder / f"{stem}-operations.sqlite")

    @property
    def _store_file(self) -> Path | None:
        """The file of an embedded store."""
        url = self.store.get_secret_value()
        return Path(unquote(url.removeprefix(_SQLITE))).absolute() if url.startswith(_SQLITE) else None

    @property
    def key_path(self) -> Path:
        """The file of the key that encrypts secrets at rest; by default beside the store."""
        return self.key_file or self.folder / "cmdb.key"

    @property
    def snapshots_path(self) -> Path | None:
        """The folder for snapshots of the topology, which a server is slow to give; none for an embedded store."""
        return self.folder / "topology" if self._store_file is None else None

    @property
    def evidence_path(self) -> Path:
        """The folder of the raw replies; by default beside the store."""
        return self.evidence or self.folder / "evidence"


def load(**flags: Any) -> Settings:
    """Read the settings; flags that are None count as not given. Raises SettingsError."""
    file = config_file()
    if os.environ.get("CMDB_CONFIG") and not file.is_file():
        raise SettingsError(f"CMDB_CONFIG names {file}, where there is no file")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        lines = [
            ": ".join([*filter(None, [".".join(str(part) for part in row["loc"])]), row["msg"]])
            for row in error.errors()
        ]
        raise SettingsError(f"settings ({file}, CMDB_* variables, flags): {'; '.join(lines)}") from error
    except SourceError as error:
        said = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
        raise SettingsError(
            f"settings: {said}; a setting with several values is written as JSON in a variable"
        ) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise SettingsError(f"the settings file {file} cannot be read: {said}; write lines of NAME: VALUE") from error
