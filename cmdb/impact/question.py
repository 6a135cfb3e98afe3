"""The question: what is changed, how, and what is down already (impact.md, first table)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KINDS: Final = ("power_off", "remove", "reboot", "disconnect", "configure", "patch")


@dataclass(frozen=True, slots=True)
class Question:
    """What happens if `kind` is done to `targets` (CIs) and `relations`, while `down` (CIs) are down already.

    `restarts` goes with `patch`: the patch restarts its targets, which is a reboot. With other kinds it says nothing.
    """

    targets: tuple[str, ...]
    relations: tuple[str, ...]
    kind: str
    down: tuple[str, ...] = ()
    restarts: bool = False

    @property
    def reboots(self) -> bool:
        return self.kind == "reboot" or (self.kind == "patch" and self.restarts)
