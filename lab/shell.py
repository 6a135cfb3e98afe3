"""The SSH side: hosts that run what they are sent in a real shell over recordings, and gear with a prompt."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.behaviour import Behaviour, Kind, Lie

_WALL_CLOCK_S = 60
_CHUNK = 65536


def private_key(seed: str) -> asyncssh.SSHKey:
    """An Ed25519 key made of a seed: the same device has the same host key in each run."""
    raw = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"lab {seed}".encode()).digest())
    text = raw.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return asyncssh.import_private_key(text)


def new_key() -> asyncssh.SSHKey:
    """An Ed25519 key that nobody had before."""
    return asyncssh.generate_private_key("ssh-ed25519")


@dataclass(frozen=True, slots=True)
class Account:
    """Who may log in to a device, by password or by key."""

    user: str
    password: str
    key: asyncssh.SSHKey


@dataclass(frozen=True, slots=True)
class LogIn:
    """One attempt to log in: which device, who, how, and whether it was let in."""

    device: str
    user: str
    method: str
    accepted: bool


class Door(asyncssh.SSHServer):
    """Checks passwords and keys of one device, and reports each attempt."""

    def __init__(self, device: str, account: Account, report: Callable[[LogIn], None],
                 entered: Callable[[asyncssh.SSHServerConnection], None]) -> None:  # fmt: skip
        """`entered` is told of each connection, so that it can be ended with the device."""
        self._device = device
        self._account = account
        self._report = report
        self._entered = entered

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._entered(conn)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 -- named by asyncssh
        return True

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        accepted = username == self._account.user and password == self._account.password
        self._report(LogIn(self._device, username, "password", accepted))
        return accepted

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        accepted = username == self._account.user and key.public_data == self._account.key.public_data
        self._report(LogIn(self._device, username, "publickey", accepted))
        return accepted


class Shell:
    """Runs commands of one host: /bin/sh, with a PATH that holds its shims and nothing else."""

    def __init__(self, folder: Path, user: str, behaviour: Callable[[], Behaviour]) -> None:
        """`folder` holds the host's `bin` and `recordings`; `behaviour` is asked at each command."""
        self._folder = folder
        self._environment = {
            "PATH": str(folder / "bin"), "LAB_HOST": str(folder / "recordings"), "HOME": str(folder / "home"),
            "USER": user, "LOGNAME": user, "SHELL": "/bin/sh", "LANG": "C.UTF-8",
        }  # fmt: skip
        self._behaviour = behaviour
        (folder / "home").mkdir(exist_ok=True)

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run one command, or a shell that reads its commands from the channel."""
        behaviour = self._behaviour()
        if behaviour.kind == Kind.SLOW:
            await asyncio.sleep(behaviour.delay_s)
        command = process.command
        arguments = ["/bin/sh"] if command is None else ["/bin/sh", "-c", command]
        child = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=self._environment, cwd=self._folder / "home", start_new_session=True,
        )  # fmt: skip
        try:
            code = await asyncio.wait_for(self._run(process, child, behaviour), _WALL_CLOCK_S)
        except (TimeoutError, ConnectionError, asyncssh.Error):
            code = 255
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
        process.exit(code)

    async def _run(
        self, process: asyncssh.SSHServerProcess[bytes], child: asyncio.subprocess.Process, behaviour: Behaviour
    ) -> int:
        if child.stdin is None or child.stdout is None or child.stderr is None:
            raise RuntimeError("a child without pipes")
        feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
        lie = behaviour.lie if behaviour.kind == Kind.LYING else None
        try:
            await asyncio.gather(_copy(child.stdout, process.stdout, lie), _copy(child.stderr, process.stderr, None))
            return await child.wait()
        finally:
            feeding.cancel()


async def _feed(source: asyncssh.SSHReader[bytes], target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    except (ConnectionError, asyncssh.Error):
        return
    finally:
        target.close()


async def _copy(source: asyncio.StreamReader, target: asyncssh.SSHWriter[bytes], lie: Lie | None) -> None:
    if lie is None:
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
        return
    whole = await source.read()
    target.write(whole[: len(whole) // 2] if lie == Lie.TRUNCATED else bytes(byte ^ 0x55 for byte in whole))
    await target.drain()


class Prompt:
    """Network gear: a prompt, a few `show` commands, and an error for all else."""

    def __init__(self, name: str, replies: Mapping[str, str], behaviour: Callable[[], Behaviour]) -> None:
        self._name = name
        self._replies = replies
        self._behaviour = behaviour

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Answer one command, or one after the other at the prompt until `exit`."""
        behaviour = self._behaviour()
        if behaviour.kind == Kind.SLOW:
            await asyncio.sleep(behaviour.delay_s)
        if process.command is not None:
            process.stdout.write(self._reply(process.command).encode())
            process.exit(0)
            return
        prompt = f"{self._name}#".encode()
        process.stdout.write(b"\r\n" + prompt)
        try:
            async for line in process.stdin:
                command = line.decode("utf-8", "replace").strip()
                if command in {"exit", "quit", "logout"}:
                    break
                process.stdout.write(command.encode() + b"\r\n" + self._reply(command).encode() + prompt)
        except asyncssh.Error:
            return
        process.exit(0)

    def _reply(self, command: str) -> str:
        if not command or command.startswith("terminal "):
            return ""
        found = self._replies.get(" ".join(command.split()))
        if found is None:
            return "\r\n% Invalid input detected at '^' marker.\r\n\r\n"
        return found.replace("\n", "\r\n")
