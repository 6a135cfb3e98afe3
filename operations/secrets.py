"""Secrets at rest: sealed with a key that lies elsewhere, each bound to the row that it belongs to.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits. What a secret is bound to is authenticated with it, so
that whoever can write the database cannot move one credential's secret under another's networks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from discovery.transport.base import Secret
from operations.errors import KeyProblem

_FORMAT = b"\x01"
_NONCE = 12
_KEY = 32


class Vault:
    """Seals and opens secrets with one key; `origin` says for people where the key came from."""

    __slots__ = ("_cipher", "key_id", "origin")

    def __init__(self, key: bytes, origin: str) -> None:
        if len(key) != _KEY:
            raise KeyProblem(f"the key in {origin} has {len(key)} bytes, {_KEY} are needed")
        self._cipher = AESGCM(key)
        self.origin = origin
        self.key_id = hashlib.sha256(b"cmdb key id" + key).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Vault(key_id={self.key_id!r}, origin={self.origin!r})"

    def seal(self, secret: Secret, bound_to: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, secret.reveal().encode(), _FORMAT + bound_to.encode())

    def open(self, sealed: bytes, bound_to: str, what: str) -> Secret:
        """Raises KeyProblem, naming `what`, where it was sealed otherwise, bound to something else, or changed."""
        nonce, content = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return Secret(self._cipher.decrypt(nonce, content, sealed[:1] + bound_to.encode()).decode())
        except (InvalidTag, ValueError) as error:
            raise KeyProblem(
                f"the secret of {what} cannot be opened with the key in {self.origin}: it was sealed with another "
                "key, or changed; put the right key back, or remove it and add it again"
            ) from error


def open_vault(path: Path, key: Secret | None = None) -> Vault:
    """The vault of `CMDB_KEY` (32 bytes in base64), else of a key file, which is made where it is missing.

    Raises KeyProblem.
    """
    if key:
        return Vault(_decode(key.reveal(), "CMDB_KEY"), "CMDB_KEY")
    try:
        return Vault(_decode(_read(path), str(path)), str(path))
    except FileNotFoundError:
        _make(path)
        return Vault(_decode(_read(path), str(path)), str(path))


def _decode(text: str, origin: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        # `from None`: the error's own text could quote the key
        raise KeyProblem(f"the key in {origin} is not {_KEY} bytes in base64") from None


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyProblem(f"the key file {path} cannot be read: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyProblem(f"the key file {path} is no file")
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyProblem(
                f"the key file {path} has mode {stat.S_IMODE(found.st_mode):04o}, others may use it: chmod 600 {path}"
            )
        if found.st_uid not in {os.geteuid(), 0}:
            raise KeyProblem(f"the key file {path} belongs to somebody else (uid {found.st_uid})")
        return os.read(descriptor, 4096).decode("ascii", "replace")
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    """Make a key, whole or not at all; where two make one at once, the first is the key of both."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(base64.b64encode(os.urandom(_KEY)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)
            except FileExistsError:
                return
        finally:
            temporary.unlink()
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise KeyProblem(f"the key file {path} cannot be made: {error.strerror}") from error
