"""How a device behaves on the network: as it should, or in one of the ways in which devices do not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """`SILENT`: nothing comes back. `REFUSING`: nobody listens, the kernel says so. `SLOW` and `LYING` answer."""

    NORMAL = "normal"
    SILENT = "silent"
    REFUSING = "refusing"
    SLOW = "slow"
    LYING = "lying"


class Lie(StrEnum):
    """What a lying device does.

    `TRUNCATED`: walks end in the middle (endOfMibView too early), commands print half. `LOOPING`: GETNEXT gives the
    object that was asked for, so that a walk never ends. `GARBAGE`: octets without meaning. `STRANGER`: replies to a
    request that nobody sent.
    """

    TRUNCATED = "truncated"
    LOOPING = "looping"
    GARBAGE = "garbage"
    STRANGER = "stranger"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A kind, with the delay of each reply for slow devices and the lie of lying ones."""

    kind: Kind = Kind.NORMAL
    delay_s: float = 0.0
    lie: Lie | None = None

    @property
    def answers(self) -> bool:
        return self.kind not in {Kind.SILENT, Kind.REFUSING}


NORMAL = Behaviour()
SILENT = Behaviour(Kind.SILENT)
REFUSING = Behaviour(Kind.REFUSING)


def slow(delay_s: float) -> Behaviour:
    """Each reply comes `delay_s` late."""
    return Behaviour(Kind.SLOW, delay_s=delay_s)


def lying(lie: Lie) -> Behaviour:
    """Answers, but not the truth."""
    return Behaviour(Kind.LYING, lie=lie)


def parse(text: str) -> Behaviour:
    """Read `normal`, `silent`, `refusing`, `slow:SECONDS` or `lying:LIE`; ValueError says what is possible."""
    kind, _, rest = text.partition(":")
    try:
        match Kind(kind):
            case Kind.SLOW:
                return slow(float(rest))
            case Kind.LYING:
                return lying(Lie(rest))
            case plain if not rest:
                return Behaviour(plain)
    except ValueError:
        pass
    lies = " ".join(f"lying:{lie}" for lie in Lie)
    raise ValueError(f"{text!r} is no behaviour: give one of normal, silent, refusing, slow:SECONDS, {lies}")


def garbage(size: int, seed: int) -> bytes:
    """Octets without meaning, the same for the same seed."""
    return random.Random(seed).randbytes(max(size, 1))  # noqa: S311 -- noise, no secret
