"""Which credential is tried where: policy. Last good first, then the source's order; attempts are counted.

A credential that a host refused is not tried there again in this run; one that three hosts in a row refused is not
tried at all any more: a wrong password must not lock an account on every host of a network. Hosts are visited side by
side, and one account may be known to all of them: until a credential has opened one, no more hosts at once try it than
may still refuse it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from discovery.ports import CredentialSource, NamedCredential

REFUSALS_IN_A_ROW = 3


class Attempts:
    """The credentials of one run. Safe to use from several threads."""

    def __init__(self, source: CredentialSource, refusals_in_a_row: int = REFUSALS_IN_A_ROW) -> None:
        self._source = source
        self._limit = refusals_in_a_row
        self._lock = threading.Condition()
        self._refused: set[tuple[str, str, str, str]] = set()
        self._in_a_row: dict[str, list[str]] = {}
        self._given_up: dict[str, str] = {}
        self._trusted: set[str] = set()  # opened a host, and was refused by none since
        self._trying: Counter[str] = Counter()

    def candidates(self, space: str, address: str, protocol: str) -> tuple[NamedCredential, ...]:
        """What may be tried at an address (`protocol`: snmp or ssh), in this order."""
        bound = self._source.candidates(space, address, protocol)
        last_good = self._source.last_good(space, address, protocol)
        ordered = sorted(bound, key=lambda each: each.name != last_good)  # stable: the rest keeps its order
        return tuple(each for each in ordered if self.may_try(space, address, protocol, each))

    def bound(self, space: str, address: str) -> tuple[NamedCredential, ...]:
        """Every credential that people gave for the address, tried or not."""
        return tuple(each for protocol in ("snmp", "ssh") for each in self._source.candidates(space, address, protocol))

    def is_bound(self, space: str, address: str, protocol: str) -> bool:
        """Whether people gave a credential for the address at all, tried or not."""
        return bool(self._source.candidates(space, address, protocol))

    def may_try(self, space: str, address: str, protocol: str, credential: NamedCredential) -> bool:
        """Neither refused by this host nor given up."""
        with self._lock:
            return self._may_try(space, address, protocol, credential.name)

    @contextmanager
    def attempt(self, space: str, address: str, protocol: str, credential: NamedCredential) -> Iterator[bool]:
        """Around one log-in, with `worked` or `refused` inside: whether it may be tried, after waiting for its turn.

        Asked right before: another host may have been the third to refuse meanwhile.
        """
        name = credential.name
        with self._lock:
            self._lock.wait_for(lambda: self._has_room(name) or not self._may_try(space, address, protocol, name))
            may = self._may_try(space, address, protocol, name)
            self._trying[name] += may
        try:
            yield may
        finally:
            with self._lock:
                self._trying[name] -= may
                self._lock.notify_all()

    def worked(self, space: str, address: str, protocol: str, credential: NamedCredential) -> None:
        """It opened this host: refusals before it were the hosts' matter."""
        with self._lock:
            self._in_a_row.pop(credential.name, None)
            self._trusted.add(credential.name)
            self._lock.notify_all()
        self._source.remember(space, address, protocol, credential.name)

    def refused(self, space: str, address: str, protocol: str, credential: NamedCredential) -> None:
        """The host heard it and declined."""
        with self._lock:
            key = (space, address, protocol, credential.name)
            if key in self._refused:
                return
            self._refused.add(key)
            self._trusted.discard(credential.name)
            hosts = self._in_a_row.setdefault(credential.name, [])
            hosts.append(address)
            if len(hosts) >= self._limit:
                self._given_up[credential.name] = ", ".join(hosts)

    @property
    def problems(self) -> Sequence[str]:
        """The credentials that are not tried any more, and who refused them."""
        with self._lock:
            return tuple(
                f"credential {name!r} was refused by {hosts}, one after the other; it is not tried any more in this run"
                for name, hosts in sorted(self._given_up.items())
            )

    def _may_try(self, space: str, address: str, protocol: str, name: str) -> bool:
        return name not in self._given_up and (space, address, protocol, name) not in self._refused

    def _has_room(self, name: str) -> bool:
        """Whether one more attempt cannot make more refusals in a row than are allowed."""
        return name in self._trusted or self._trying[name] + len(self._in_a_row.get(name, ())) < self._limit
