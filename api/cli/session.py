"""How a command opens the stores and how it ends: one table turns our exceptions into exit codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from api.cli.output import Exit

if TYPE_CHECKING:
    from api.wiring import Services

JSON: TypeAlias = Annotated[bool, typer.Option("--json", help="JSON for programs")]


@contextmanager
def opened(**flags: object) -> Iterator[Services]:
    """The services as the settings say, closed at the end; flags are stronger than variables and file."""
    from api.settings import load
    from api.wiring import Services

    services = Services(load(**flags))
    try:
        yield services
    finally:
        services.close()


def codes() -> Mapping[type[Exception], Exit]:
    """What our exceptions mean as exit codes; the most specific class wins."""
    from api.settings import SettingsError
    from cmdb.inventory import Refused
    from cmdb.model import ModelError
    from cmdb.store.base import StoreError, StoreUnavailable
    from cmdb.what import Ambiguous, NotFound
    from naming import LabelError, PlanError
    from operations.database import OperationsError, OperationsUnavailable

    return {
        NotFound: Exit.NOT_FOUND,
        Ambiguous: Exit.BAD_INPUT,
        ModelError: Exit.BAD_INPUT,
        LabelError: Exit.BAD_INPUT,
        PlanError: Exit.BAD_INPUT,
        SettingsError: Exit.BAD_INPUT,
        Refused: Exit.REFUSED,
        StoreUnavailable: Exit.UNAVAILABLE,
        StoreError: Exit.UNAVAILABLE,
        OperationsUnavailable: Exit.UNAVAILABLE,
        OperationsError: Exit.BAD_INPUT,
    }
