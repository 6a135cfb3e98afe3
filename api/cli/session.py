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


def user() -> str:
    """Who works here, for journal and ledger."""
    import getpass
    import os

    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user need not have a name
        return f"cli:uid {os.getuid()}"


def codes() -> Mapping[type[Exception], Exit]:
    """What our exceptions mean as exit codes; the most specific class wins."""
    from api.settings import SettingsError
    from cmdb.inventory import Refused
    from cmdb.model import ModelError
    from cmdb.store.base import StoreError, StoreTooNew, StoreUnavailable
    from cmdb.what import Ambiguous, NotFound
    from discovery.family import FamilyError
    from discovery.targets import TargetError
    from discovery.transport.replies import RecordingError
    from naming import LabelError, PlanError, RoomFullError
    from operations.errors import AlreadyThere, KeyProblem, NotKnown, OperationsError, OperationsUnavailable, RunRefused

    return {
        NotFound: Exit.NOT_FOUND,
        NotKnown: Exit.NOT_FOUND,
        Ambiguous: Exit.BAD_INPUT,
        ModelError: Exit.BAD_INPUT,
        LabelError: Exit.BAD_INPUT,
        PlanError: Exit.BAD_INPUT,
        TargetError: Exit.BAD_INPUT,
        FamilyError: Exit.BAD_INPUT,
        RecordingError: Exit.BAD_INPUT,
        SettingsError: Exit.BAD_INPUT,
        StoreError: Exit.BAD_INPUT,
        OperationsError: Exit.BAD_INPUT,
        Refused: Exit.REFUSED,
        RoomFullError: Exit.REFUSED,
        AlreadyThere: Exit.REFUSED,
        RunRefused: Exit.REFUSED,
        StoreUnavailable: Exit.UNAVAILABLE,
        StoreTooNew: Exit.UNAVAILABLE,
        OperationsUnavailable: Exit.UNAVAILABLE,
        KeyProblem: Exit.UNAVAILABLE,
    }
