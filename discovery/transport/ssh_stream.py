"""One channel of an SSH connection, as both libraries behind us can give it."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Chunk(NamedTuple):
    """What arrived on the two streams; both empty where nothing did in time."""

    stdout: bytes
    stderr: bytes


class Stream(Protocol):
    """Bytes in both directions. Every method raises TransportError only."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def end_input(self) -> None:
        """Say that nothing more will be sent."""

    def receive(self, timeout_s: float) -> Chunk | None:
        """Wait for something on either stream; None when the far end has closed it and all was read."""

    def close(self) -> None:
        """Close the channel. Twice is harmless."""
