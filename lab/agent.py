"""An SNMP agent: bytes of a request in, bytes of the reply out (v1 RFC 1157, v2c RFC 3416, v3 through `usm`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from lab import ber
from lab.behaviour import Lie
from lab.ber import BerError, Oid, Reader
from lab.mib import LoopingView, MibView, TruncatedView
from lab.usm import Engine, ScopedRequest, User

GET: Final = 0xA0
GET_NEXT: Final = 0xA1
RESPONSE: Final = 0xA2
SET: Final = 0xA3
GET_BULK: Final = 0xA5
REPORT: Final = 0xA8

TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2
READ_ONLY: Final = 4
AUTHORIZATION_ERROR: Final = 16
NOT_WRITABLE: Final = 17

_HEADROOM = 160
"""Octets kept free for the wrapping of a message: versions, community or USM header, PDU header."""


class Pdu(NamedTuple):
    """A request: its tag, id, the two numbers behind it (error fields, or the ones of GETBULK) and what it names."""

    tag: int
    request_id: int
    first: int
    second: int
    names: tuple[Oid, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask: versions, communities with the context each stands for, and users of v3."""

    versions: frozenset[int] = frozenset({0, 1, 3})
    communities: Mapping[bytes, str] = field(default_factory=dict)
    users: tuple[User, ...] = ()


class Agent:
    """Answers the requests for one device; `answer` returns None where a real agent stays silent."""

    def __init__(self, views: Mapping[str, MibView], access: Access, engine: Engine, max_size: int = 1472) -> None:
        """`views` are by context name ("" is the default); `max_size` is the largest reply, in octets."""
        self._views = views
        self._access = access
        self._engine = engine
        self._max_size = max_size

    def replace(self, context: str, view: MibView) -> None:
        """From the next request on, answer from another view."""
        self._views = {**self._views, context: view}

    def answer(self, data: bytes, lie: Lie | None = None) -> bytes | None:
        """The reply to one datagram. What is not SNMP, or names an unknown community, gets none."""
        try:
            message = Reader(data).inside()
            version = message.integer()
            if version not in self._access.versions:
                return None
            if version == 3:
                return self._engine.answer(data, partial(self._scoped, lie=lie))
            if version not in {0, 1}:
                return None
            community = message.octets()
            context = self._access.communities.get(community)
            if context is None or context not in self._views:
                return None
            pdu = read_pdu(message)
        except BerError:
            return None
        limit = self._max_size - _HEADROOM - len(community)
        view, pdu = _muddled(self._views[context], pdu, lie)
        reply = respond_v1(view, pdu, limit) if version == 0 else respond(view, pdu, limit)
        if reply is None:
            return None
        return ber.sequence(ber.integer(version), ber.octets(community), reply)

    def _scoped(self, request: ScopedRequest, lie: Lie | None) -> bytes | None:
        """The PDU that answers a v3 request, already authenticated and decrypted."""
        view = self._views.get(request.context)
        if view is None:
            return None
        pdu = read_pdu(Reader(request.pdu))
        if not request.authorised:
            return write_pdu(pdu.request_id, _echo(pdu), AUTHORIZATION_ERROR)
        view, pdu = _muddled(view, pdu, lie)
        return respond(view, pdu, min(self._max_size, request.max_size) - _HEADROOM)


def _muddled(view: MibView, pdu: Pdu, lie: Lie | None) -> tuple[MibView, Pdu]:
    """The view and request that a lying agent answers from and for."""
    if lie == Lie.TRUNCATED:
        return TruncatedView(view.rows()), pdu
    if lie == Lie.LOOPING:
        return LoopingView(view.rows()), pdu
    if lie == Lie.STRANGER:
        return view, pdu._replace(request_id=pdu.request_id ^ 0x2A)
    return view, pdu


def read_pdu(reader: Reader) -> Pdu:
    """Read the PDU at the front of `reader`; BerError where it is none."""
    element = reader.element()
    inside = Reader(element.body, element.start)
    request_id, first, second = inside.integer(), inside.integer(), inside.integer()
    bindings = inside.inside()
    names: list[Oid] = []
    while not bindings.done:
        binding = bindings.inside()
        names.append(binding.oid())
        binding.element()
    return Pdu(element.tag, request_id, first, second, tuple(names))


def write_pdu(request_id: int, bindings: list[bytes], status: int = 0, index: int = 0, tag: int = RESPONSE) -> bytes:
    """Encode a reply."""
    return ber.sequence(
        ber.integer(request_id), ber.integer(status), ber.integer(index), ber.sequence(*bindings), tag=tag
    )


def respond(view: MibView, pdu: Pdu, limit: int) -> bytes | None:
    """The reply of SNMPv2 operations (RFC 3416, 4.2). `limit` is the room for bindings, in octets."""
    if pdu.tag == GET:
        bindings = [_bind(name, view.get(name)) for name in pdu.names]
    elif pdu.tag == GET_NEXT:
        bindings = [_next(view, name)[1] for name in pdu.names]
    elif pdu.tag == GET_BULK:
        return write_pdu(pdu.request_id, _bulk(view, pdu, limit))
    elif pdu.tag == SET:
        return write_pdu(pdu.request_id, _echo(pdu), NOT_WRITABLE, 1)
    else:
        return None
    if sum(map(len, bindings)) > limit:
        return write_pdu(pdu.request_id, [], TOO_BIG)
    return write_pdu(pdu.request_id, bindings)


def respond_v1(view: MibView, pdu: Pdu, limit: int) -> bytes | None:
    """The reply of SNMPv1: no exceptions, no Counter64 (RFC 3584, 4.2.2), noSuchName for what is not there."""
    if pdu.tag == SET:
        return write_pdu(pdu.request_id, _echo(pdu), READ_ONLY, 1)
    if pdu.tag not in {GET, GET_NEXT}:
        return None
    bindings: list[bytes] = []
    for position, name in enumerate(pdu.names, start=1):
        found = (name, view.get(name)) if pdu.tag == GET else view.next(name)
        while pdu.tag == GET_NEXT and found is not None and found[1][0] == ber.COUNTER64:
            found = view.next(found[0])
        if found is None or found[1][0] & 0x80 or found[1][0] == ber.COUNTER64:
            return write_pdu(pdu.request_id, _echo(pdu), NO_SUCH_NAME, position)
        bindings.append(_bind(*found))
    if sum(map(len, bindings)) > limit:
        return write_pdu(pdu.request_id, _echo(pdu), TOO_BIG)
    return write_pdu(pdu.request_id, bindings)


def _bulk(view: MibView, pdu: Pdu, limit: int) -> list[bytes]:
    """The bindings of a GETBULK: as many whole ones as fit, none past a row that only says endOfMibView."""
    single = max(0, min(pdu.first, len(pdu.names)))
    bindings: list[bytes] = []
    room = limit

    def take(name: Oid) -> Oid | None:
        nonlocal room
        found, binding = _next(view, name)
        room -= len(binding)
        if room < 0:
            return None
        bindings.append(binding)
        return found

    for name in pdu.names[:single]:
        if take(name) is None:
            return bindings
    names = list(pdu.names[single:])
    for _ in range(max(0, pdu.second) if names else 0):
        ended = True
        for column, name in enumerate(names):
            found = take(name)
            if found is None:
                return bindings
            ended = ended and found == name
            names[column] = found
        if ended:
            break
    return bindings


def _next(view: MibView, name: Oid) -> tuple[Oid, bytes]:
    found = view.next(name)
    if found is None:
        return name, _bind(name, ber.tlv(ber.END_OF_MIB_VIEW, b""))
    return found[0], _bind(*found)


def _bind(name: Oid, value: bytes) -> bytes:
    return ber.sequence(ber.oid(name), value)


def _echo(pdu: Pdu) -> list[bytes]:
    return [_bind(name, ber.tlv(ber.NULL, b"")) for name in pdu.names]
