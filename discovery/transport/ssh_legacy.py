"""Connects to servers that offer only algorithms which are no longer trusted: old IOS, AIX, HP-UX.

asyncssh still speaks them. Used where the credential says `legacy`, and only after a trusted handshake was impossible.
Each connection has an event loop on a thread of its own; nothing outside this module is asynchronous.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncssh

from discovery.transport.base import (
    CredentialRefused,
    Endpoint,
    Garbled,
    HostKey,
    HostKeys,
    Refused,
    Shell,
    Ssh,
    SshCredential,
    SshKey,
    SshLimits,
    Terminal,
    TimedOut,
    TransportError,
)
from discovery.transport.ssh_dial import check_host_key, dialled
from discovery.transport.ssh_script import ScriptShell
from discovery.transport.ssh_stream import Chunk, Stream
from discovery.transport.ssh_terminal import PromptTerminal

T = TypeVar("T")

_CHUNK = 256 * 1024
# Added to what asyncssh trusts by itself, which stays preferred.
_KEY_EXCHANGES = "+diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1"
_CIPHERS = "+aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc"
_MACS = "+hmac-sha1,hmac-md5,hmac-sha1-96,hmac-md5-96"
_SIGNATURES = "+ssh-rsa,ssh-dss"


def connect_legacy(endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys, limits: SshLimits) -> Ssh:
    """Connect, check the host key, log in. Raises TransportError."""
    loop = _Loop(endpoint)
    try:
        return LegacyConnection(endpoint, credential, host_keys, limits, loop)
    except BaseException:
        loop.close()
        raise


class _Loop:
    """An event loop on a background thread, and a plain call into it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"ssh {endpoint}", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float, doing: str) -> T:
        """Run it to its end, or raise TransportError."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout_s), self._loop)
        with translated(self._endpoint, doing):
            return future.result()

    @property
    def is_open(self) -> bool:
        return not self._loop.is_closed()

    def close(self) -> None:
        if self.is_open:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


class _Client(asyncssh.SSHClient):
    """Asked by asyncssh whether a host key that no known_hosts file names is acceptable."""

    def __init__(self, endpoint: Endpoint, host_keys: HostKeys) -> None:
        self._endpoint = endpoint
        self._host_keys = host_keys
        self.shown: HostKey | None = None
        self.refusal: TransportError | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 asyncssh's signature
        self.shown = HostKey(key.get_algorithm(), key.public_data)
        known = tuple(self._host_keys.known(self._endpoint.address, self._endpoint.port))
        try:
            check_host_key(self._endpoint, self.shown, known, self._host_keys)
        except TransportError as error:
            self.refusal = error
            return False
        return True


class LegacyConnection:
    """An Ssh over asyncssh."""

    def __init__(
        self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys, limits: SshLimits, loop: _Loop
    ) -> None:
        self._credential = credential
        self._limits = limits
        self._loop = loop
        self._client = _Client(endpoint, host_keys)
        doing = f"logging in as {credential.user}"
        try:
            self._connection = loop.call(self._connect(endpoint), limits.login_s, doing)
        except TransportError as error:
            if self._client.refusal is not None:
                raise self._client.refusal from error
            raise
        if self._client.shown is None:
            raise Garbled(f"{endpoint} proved no host key")
        self._host_key = self._client.shown
        self._endpoint = endpoint

    async def _connect(self, endpoint: Endpoint) -> asyncssh.SSHClientConnection:
        credential, keys, password = self._credential, [], None
        if isinstance(credential, SshKey):
            passphrase = credential.passphrase.reveal() or None
            keys.append(asyncssh.import_private_key(credential.key_text.reveal(), passphrase))
        else:
            password = credential.password.reveal()
        tcp = dialled(endpoint, self._limits)
        tcp.setblocking(False)
        return await asyncssh.connect(
            sock=tcp,
            client_factory=lambda: self._client,
            known_hosts=([], [], []),
            config=None,
            agent_path=None,
            username=credential.user,
            password=password,
            client_keys=keys or None,
            kex_algs=_KEY_EXCHANGES,
            encryption_algs=_CIPHERS,
            mac_algs=_MACS,
            server_host_key_algs=_SIGNATURES,
            signature_algs=_SIGNATURES,
            login_timeout=self._limits.login_s,
        )

    @property
    def host_key(self) -> HostKey:
        return self._host_key

    @property
    def banner(self) -> str:
        version = self._connection.get_extra_info("server_version")
        return str(version) if str(version).startswith("SSH-") else f"SSH-2.0-{version}"

    def shell(self) -> Shell:
        return ScriptShell(self._run, self._limits, self._credential.sudo, self._credential.user == "root")

    def terminal(self) -> Terminal:
        process = self._loop.call(self._open(None), self._limits.login_s, "opening a terminal")
        return PromptTerminal(ProcessStream(process, self._loop, self._limits), self._limits)

    def _run(self, command: str) -> Stream:
        process = self._loop.call(self._open(command), self._limits.login_s, "starting a shell")
        return ProcessStream(process, self._loop, self._limits)

    async def _open(self, command: str | None) -> asyncssh.SSHClientProcess[bytes]:
        if command is not None:
            return await self._connection.create_process(command, encoding=None)
        return await self._connection.create_process(encoding=None, term_type="vt100", term_size=(511, 1000))

    def close(self) -> None:
        async def end() -> None:
            self._connection.abort()
            await self._connection.wait_closed()

        if self._loop.is_open:
            with suppress(TransportError):
                self._loop.call(end(), self._limits.login_s, "closing")
            self._loop.close()


class ProcessStream:
    """A Stream over one process of asyncssh."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes], loop: _Loop, limits: SshLimits) -> None:
        self._process = process
        self._loop = loop
        self._limits = limits
        self._reading: dict[asyncssh.SSHReader[bytes], asyncio.Task[bytes]] = {}
        self._ended: set[asyncssh.SSHReader[bytes]] = set()

    def send(self, data: bytes) -> None:
        async def write() -> None:
            self._process.stdin.write(data)
            await self._process.stdin.drain()

        self._loop.call(write(), self._limits.login_s, "sending")

    def end_input(self) -> None:
        async def end() -> None:
            self._process.stdin.write_eof()

        self._loop.call(end(), self._limits.login_s, "sending")

    def receive(self, timeout_s: float) -> Chunk | None:
        return self._loop.call(self._receive(timeout_s), timeout_s + self._limits.login_s, "receiving")

    async def _receive(self, timeout_s: float) -> Chunk | None:
        readers = (self._process.stdout, self._process.stderr)
        for reader in readers:
            if reader not in self._reading and reader not in self._ended:
                self._reading[reader] = asyncio.ensure_future(reader.read(_CHUNK))
        if not self._reading:
            return None
        await asyncio.wait(self._reading.values(), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return Chunk(*(self._taken(reader) for reader in readers))

    def _taken(self, reader: asyncssh.SSHReader[bytes]) -> bytes:
        task = self._reading.get(reader)
        if task is None or not task.done():
            return b""
        del self._reading[reader]
        data = task.result()
        if not data:
            self._ended.add(reader)
        return data

    def close(self) -> None:
        async def end() -> None:
            for task in self._reading.values():
                task.cancel()
            self._process.close()

        if self._loop.is_open:
            with suppress(TransportError):
                self._loop.call(end(), self._limits.login_s, "closing")


@contextmanager
def translated(endpoint: Endpoint, doing: str) -> Iterator[None]:
    """Turn the errors of asyncssh into ours."""
    try:
        yield
    except TransportError:
        raise
    except (asyncssh.PermissionDenied, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise CredentialRefused(f"{endpoint}, while {doing}: {error}") from error
    except asyncssh.KeyExchangeFailed as error:
        raise Refused(f"{endpoint} and we have no algorithm in common: {error}") from error
    except (asyncssh.ConnectionLost, asyncssh.DisconnectError) as error:
        raise Refused(f"{endpoint} ended the connection while {doing}: {error}") from error
    except asyncssh.ChannelOpenError as error:
        raise Refused(f"{endpoint} grants no session while {doing}: {error}") from error
    except TimeoutError as error:
        raise TimedOut(f"{endpoint} took too long while {doing}") from error
    except asyncssh.Error as error:
        raise Garbled(f"{endpoint}, while {doing}: {error}") from error
    except OSError as error:
        raise TransportError(f"{endpoint}, while {doing}: {error}") from error
