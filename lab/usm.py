"""SNMPv3: the message format (RFC 3412) and the user-based security model (RFC 3414, 3826, 7860) of one engine."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from lab import ber
from lab.ber import BerError, Oid, Reader

AUTH: Final = 0x01
PRIV: Final = 0x02
REPORTABLE: Final = 0x04
USM: Final = 3

_DIGESTS: Final = {"md5": 12, "sha1": 12, "sha224": 16, "sha256": 24, "sha384": 32, "sha512": 48}
"""Hash → octets of its digest that travel (RFC 3414 and RFC 7860, 4.2)."""

_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
UNSUPPORTED_LEVEL: Final = 1
NOT_IN_TIME_WINDOW: Final = 2
UNKNOWN_USER: Final = 3
UNKNOWN_ENGINE: Final = 4
WRONG_DIGEST: Final = 5
DECRYPTION_ERROR: Final = 6
"""The arcs of usmStats… below usmStats (SNMP-USER-BASED-SM-MIB)."""

_TIME_WINDOW_S: Final = 150
_MAX_MESSAGE: Final = 65507


@dataclass(frozen=True, slots=True)
class User:
    """A user of v3: a hash and its password, and the password of AES-128 where messages are to be private."""

    name: str
    auth: str | None = None
    auth_password: str | None = None
    priv_password: str | None = None


class ScopedRequest(NamedTuple):
    """What is left of a request once its security is dealt with.

    `max_size` is what its sender can take; it is not `authorised` where its user must come with more security.
    """

    context: str
    pdu: bytes
    max_size: int
    authorised: bool


class _Header(NamedTuple):
    message_id: int
    max_size: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    digest: bytes
    digest_at: int
    salt: bytes


class Engine:
    """One authoritative engine: its id, its users, its clock."""

    def __init__(self, engine_id: bytes, users: tuple[User, ...], clock: Callable[[], float], boots: int = 3) -> None:
        """`clock` gives seconds since any fixed time; the engine counts from its first boot of this session."""
        self._id = engine_id
        self._users = {user.name.encode(): user for user in users}
        self._clock = clock
        self._start = clock()
        self._boots = boots
        self._counts: dict[int, int] = {}

    @property
    def time_s(self) -> int:
        """The engine's snmpEngineTime. An hour old at the start: agents in a data centre were booted long ago."""
        return 3600 + int(self._clock() - self._start)

    def answer(self, data: bytes, respond: Callable[[ScopedRequest], bytes | None]) -> bytes | None:
        """The reply to one message, a Report where its security does not hold, or None. BerError: not SNMPv3."""
        header, payload = _read(data)
        if header.engine_id != self._id:
            return self._report(header, UNKNOWN_ENGINE, data)
        user = self._users.get(header.user)
        if user is None:
            return self._report(header, UNKNOWN_USER, data)
        wants_auth, wants_priv = bool(header.flags & AUTH), bool(header.flags & PRIV)
        if (wants_auth and user.auth is None) or (wants_priv and (user.priv_password is None or not wants_auth)):
            return self._report(header, UNSUPPORTED_LEVEL, data)
        if wants_auth:
            if not hmac.compare_digest(self._digest(user, _blank(data, header)), header.digest):
                return self._report(header, WRONG_DIGEST, data)
            if header.boots != self._boots or abs(header.time - self.time_s) > _TIME_WINDOW_S:
                return self._report(header, NOT_IN_TIME_WINDOW, data, user)
        try:
            scoped = self._decrypted(user, header, payload) if wants_priv else payload
            engine_id, context, pdu = _read_scoped(scoped)
        except BerError:
            return self._report(header, DECRYPTION_ERROR, data, user) if wants_priv else None
        authorised = wants_auth == (user.auth is not None) and wants_priv == (user.priv_password is not None)
        reply = respond(ScopedRequest(context, pdu, header.max_size, authorised))
        if reply is None:
            return None
        signed = user if wants_auth else None
        return self._write(header, signed, ber.sequence(ber.octets(engine_id), ber.octets(context), reply), wants_priv)

    def _report(self, header: _Header, arc: int, data: bytes, user: User | None = None) -> bytes | None:
        """A Report with the counter that went up; authenticated, where that is possible, so that clocks can be set."""
        self._counts[arc] = self._counts.get(arc, 0) + 1
        if not header.flags & REPORTABLE:
            return None
        binding = ber.sequence(ber.oid((*_STATS, arc, 0)), ber.integer(self._counts[arc], ber.COUNTER32))
        pdu = ber.sequence(
            ber.integer(_request_id(data, header)), ber.integer(0), ber.integer(0), ber.sequence(binding), tag=0xA8
        )
        scoped = ber.sequence(ber.octets(self._id), ber.octets(b""), pdu)
        return self._write(header, user, scoped, private=False)

    def _write(self, header: _Header, user: User | None, scoped: bytes, private: bool) -> bytes:
        authenticated = user is not None and user.auth is not None
        time_s, salt = self.time_s, b""
        if private and user is not None:
            salt = os.urandom(8)
            scoped = ber.octets(_aes(self._key(user, user.priv_password)[:16], self._boots, time_s, salt, scoped))
        digest = bytes(_DIGESTS[user.auth]) if user is not None and user.auth is not None else b""
        security = ber.sequence(
            ber.octets(self._id), ber.integer(self._boots), ber.integer(time_s), ber.octets(header.user),
            ber.octets(digest), ber.octets(salt),
        )  # fmt: skip
        flags = (AUTH if authenticated else 0) | (PRIV if private else 0)
        message = ber.sequence(
            ber.integer(3),
            ber.sequence(
                ber.integer(header.message_id), ber.integer(_MAX_MESSAGE), ber.octets(bytes((flags,))), ber.integer(USM)
            ),
            ber.octets(security),
            scoped,
        )
        if user is None or not authenticated:
            return message
        at = _read(message)[0].digest_at
        return message[:at] + self._digest(user, message) + message[at + len(digest) :]

    def _digest(self, user: User, message: bytes) -> bytes:
        if user.auth is None:
            return b""
        return hmac.digest(self._key(user, user.auth_password), message, user.auth)[: _DIGESTS[user.auth]]

    def _key(self, user: User, password: str | None) -> bytes:
        return localised_key(user.auth or "sha1", password or "", self._id)

    def _decrypted(self, user: User, header: _Header, payload: bytes) -> bytes:
        if len(header.salt) != 8:
            raise BerError("a private message without an 8-octet salt")
        body = Reader(payload).octets()
        key = self._key(user, user.priv_password)[:16]
        return _aes(key, header.boots, header.time, header.salt, body, decrypt=True)


@lru_cache(maxsize=256)
def localised_key(digest: str, password: str, engine_id: bytes) -> bytes:
    """The key of a password at one engine (RFC 3414, A.2: a megabyte of repeated password, then the engine's id)."""
    octets = password.encode()
    master = hashlib.new(digest, (octets * (2**20 // len(octets) + 1))[: 2**20]).digest()
    return hashlib.new(digest, master + engine_id + master).digest()


def _aes(key: bytes, boots: int, time_s: int, salt: bytes, data: bytes, decrypt: bool = False) -> bytes:
    """AES-128 in 128-bit cipher feedback (RFC 3826, 3.1): built on the block cipher, which is all that it needs."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 -- CFB runs the cipher forwards both ways.
    feedback = boots.to_bytes(4, "big") + time_s.to_bytes(4, "big") + salt
    out = bytearray()
    for at in range(0, len(data), 16):
        piece = data[at : at + 16]
        mixed = bytes(a ^ b for a, b in zip(piece, block.update(feedback), strict=False))
        out += mixed
        feedback = piece if decrypt else mixed
    return bytes(out)


def _read(data: bytes) -> tuple[_Header, bytes]:
    """Split a message into its header and its (plain or encrypted) scoped PDU, still encoded."""
    message = Reader(data).inside()
    if message.integer() != 3:
        raise BerError("not SNMPv3")
    globals_ = message.inside()
    message_id, max_size, flags, model = globals_.integer(), globals_.integer(), globals_.octets(), globals_.integer()
    if model != USM or len(flags) != 1:
        raise BerError(f"security model {model} with {len(flags)} octets of flags")
    wrapped = message.element(ber.OCTET_STRING)
    security = Reader(wrapped.body, wrapped.start).inside()
    engine_id, boots, time_s, user = security.octets(), security.integer(), security.integer(), security.octets()
    digest = security.element(ber.OCTET_STRING)
    salt = security.octets()
    payload = message.element()
    header = _Header(
        message_id, max_size, flags[0], engine_id, boots, time_s, user, digest.body, digest.start, salt
    )  # fmt: skip
    return header, ber.tlv(payload.tag, payload.body)


def _read_scoped(scoped: bytes) -> tuple[bytes, str, bytes]:
    inside = Reader(scoped).inside()
    engine_id, context, pdu = inside.octets(), inside.octets(), inside.element()
    return engine_id, context.decode("latin-1"), ber.tlv(pdu.tag, pdu.body)


def _request_id(data: bytes, header: _Header) -> int:
    """The request's id for a Report, where it can be read; 0 in encrypted messages (RFC 3412, 7.1)."""
    if header.flags & PRIV:
        return 0
    try:
        return Reader(Reader(_read_scoped(_read(data)[1])[2]).element().body).integer()
    except BerError:
        return 0


def _blank(data: bytes, header: _Header) -> bytes:
    """The message with its digest zeroed, as it was when the digest was made."""
    size = len(header.digest)
    return data[: header.digest_at] + bytes(size) + data[header.digest_at + size :]
