"""Protects messages of SNMPv3 for one user towards one agent: the user-based security model.

RFC 3414 (MD5, SHA-1, DES), RFC 7860 (HMAC-SHA-2), RFC 3826 (AES-128), draft-blumenthal-aes-usm-04 and
draft-reeder-snmpv3-usm-3desede-00 (longer AES keys). Nothing is shared between agents: two machines cloned with one
engine id, or an agent that was restarted, do not disturb each other.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from discovery.transport.base import Auth, Garbled, Priv, SnmpUser
from discovery.transport.snmp_codec import (
    AUTHENTICATED,
    PRIVATE,
    REPORTABLE,
    Pdu,
    SecureMessage,
    decode_scoped,
    encode_scoped,
    encode_secure,
)

_DIGEST_OCTETS = {
    Auth.NONE: 0,
    Auth.MD5: 12,
    Auth.SHA1: 12,
    Auth.SHA224: 16,
    Auth.SHA256: 24,
    Auth.SHA384: 32,
    Auth.SHA512: 48,
}
_PRIVACY_KEY_OCTETS = {
    Priv.NONE: 0,
    Priv.DES: 16,
    Priv.AES128: 16,
    Priv.AES192: 24,
    Priv.AES256: 32,
    Priv.AES192_CISCO: 24,
    Priv.AES256_CISCO: 32,
}
_CISCO = frozenset({Priv.AES192_CISCO, Priv.AES256_CISCO})
_PASS_PHRASE_OCTETS = 1_048_576  # RFC 3414, A.2


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys of one user at one engine. Without a repr: they are as good as the pass phrases."""

    auth: bytes
    priv: bytes


def localised_keys(user: SnmpUser, engine_id: bytes) -> Keys:
    """Turn the pass phrases into keys of this engine. Costs some milliseconds: RFC 3414 hashes a megabyte each."""
    if user.auth == Auth.NONE:
        return Keys(b"", b"")
    auth = _localise(user.auth, _hashed_phrase(user.auth, user.auth_secret.reveal().encode()), engine_id)
    octets = _PRIVACY_KEY_OCTETS[user.priv]
    if not octets:
        return Keys(auth, b"")
    priv = _localise(user.auth, _hashed_phrase(user.auth, user.priv_secret.reveal().encode()), engine_id)
    while len(priv) < octets:
        if user.priv in _CISCO:
            priv += _localise(user.auth, _hashed_phrase(user.auth, priv), engine_id)
        else:
            priv += _hash(user.auth, priv)
    return Keys(auth, priv[:octets])


class Guard:
    """Seals requests and opens responses. `boots` and `time_s` are the agent's clock, as the caller follows it."""

    def __init__(self, user: SnmpUser, engine_id: bytes) -> None:
        self._user = user
        self._engine_id = engine_id
        self._keys = localised_keys(user, engine_id)
        self._salt = secrets.randbits(32)

    def seal(self, message_id: int, pdu: Pdu, boots: int, time_s: int) -> bytes:
        """Write an authenticated, encrypted message, as far as the user's level goes."""
        scoped, salt, flags = encode_scoped(self._engine_id, pdu), b"", REPORTABLE
        if self._user.priv != Priv.NONE:
            salt = self._next_salt(boots)
            scoped = self._encrypt(scoped, salt, boots, time_s)
            flags |= PRIVATE
        # The place of the digest is found again by content no message holds by chance; then it is written in.
        place = secrets.token_bytes(_DIGEST_OCTETS[self._user.auth])
        if place:
            flags |= AUTHENTICATED
        name = self._user.user.encode()
        message = SecureMessage(message_id, flags, self._engine_id, boots, time_s, name, place, salt, scoped)
        data = encode_secure(message)
        if not place:
            return data
        at = data.index(place)
        return _spliced(data, at, self._digest(data, at))

    def open(self, message: SecureMessage, data: bytes) -> Pdu:
        """Verify and decrypt; raise Garbled where the digest is wrong or what was decrypted cannot be read."""
        if message.flags & AUTHENTICATED and not self._is_authentic(message, data):
            raise Garbled("an SNMPv3 response with a wrong digest")
        if not message.flags & PRIVATE:
            return decode_scoped(message.scoped)
        if self._user.priv == Priv.NONE or len(message.salt) != 8:
            raise Garbled("an SNMPv3 response that cannot be decrypted")
        return decode_scoped(self._decrypt(message))

    def is_as_protected(self, message: SecureMessage) -> bool:
        """Whether it has this user's level. Only a report may have less (RFC 3412, 7.2.11)."""
        authenticated = AUTHENTICATED if self._user.auth != Auth.NONE else 0
        private = PRIVATE if self._user.priv != Priv.NONE else 0
        return message.flags & (AUTHENTICATED | PRIVATE) == authenticated | private

    def _is_authentic(self, message: SecureMessage, data: bytes) -> bool:
        expected = _DIGEST_OCTETS[self._user.auth]
        if not expected or len(message.digest) != expected:
            return False
        return hmac.compare_digest(self._digest(data, message.digest_at), message.digest)

    def _digest(self, data: bytes, at: int) -> bytes:
        octets = _DIGEST_OCTETS[self._user.auth]
        return hmac.new(self._keys.auth, _spliced(data, at, bytes(octets)), self._user.auth.value).digest()[:octets]

    def _next_salt(self, boots: int) -> bytes:
        # Never the same twice for one key: DES wants the boots in it (RFC 3414, 8.1.1.1), AES any 64 bits.
        self._salt = (self._salt + 1) % 2**32
        return boots.to_bytes(4, "big") + self._salt.to_bytes(4, "big")

    def _cipher(self, salt: bytes, boots: int, time_s: int) -> Cipher[CBC] | Cipher[CFB]:
        if self._user.priv == Priv.DES:
            vector = bytes(a ^ b for a, b in zip(salt, self._keys.priv[8:16], strict=True))
            # Three equal keys make plain DES of Triple-DES; the library has nothing weaker.
            return Cipher(TripleDES(self._keys.priv[:8] * 3), CBC(vector))
        return Cipher(AES(self._keys.priv), CFB(boots.to_bytes(4, "big") + time_s.to_bytes(4, "big") + salt))

    def _encrypt(self, scoped: bytes, salt: bytes, boots: int, time_s: int) -> bytes:
        if self._user.priv == Priv.DES:
            scoped += bytes(-len(scoped) % 8)
        encryptor = self._cipher(salt, boots, time_s).encryptor()
        return encryptor.update(scoped) + encryptor.finalize()

    def _decrypt(self, message: SecureMessage) -> bytes:
        if self._user.priv == Priv.DES and len(message.scoped) % 8:
            raise Garbled("an SNMPv3 response that cannot be decrypted")
        decryptor = self._cipher(message.salt, message.boots, message.time_s).decryptor()
        return decryptor.update(message.scoped) + decryptor.finalize()


def _spliced(data: bytes, at: int, part: bytes) -> bytes:
    return data[:at] + part + data[at + len(part) :]


def _hash(auth: Auth, data: bytes) -> bytes:
    return hashlib.new(auth.value, data, usedforsecurity=False).digest()


def _hashed_phrase(auth: Auth, phrase: bytes) -> bytes:
    return _hash(auth, (phrase * (_PASS_PHRASE_OCTETS // len(phrase) + 1))[:_PASS_PHRASE_OCTETS])


def _localise(auth: Auth, key: bytes, engine_id: bytes) -> bytes:
    return _hash(auth, key + engine_id + key)
