"""The sockets of one device: opened, closed, muted and muddled as its behaviour says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self
from weakref import WeakSet

import asyncssh

from lab import gear_cli
from lab.access import COMMUNITY, V3_AUTH, V3_PRIV, V3_USER, dialled
from lab.agent import Access, Agent
from lab.behaviour import NORMAL, Behaviour, Kind, Lie, garbage
from lab.description import Device, Site
from lab.hosts import record
from lab.mibs import render
from lab.shell import Account, Door, LogIn, Prompt, Shell, private_key
from lab.shims import install
from lab.usm import Engine, User

_ENGINE_PREFIX: Final = bytes.fromhex("8000b3d104")
"""An enterprise of nobody's and "text" (RFC 3411, SnmpEngineID); the device's id follows."""
_RECEIVE_BUFFER: Final = 2**20


class Doors:
    """A device's SNMP agent and SSH server."""

    def __init__(self, site: Site, device: Device, folder: Path, account: Account | None,
                 report: Callable[[LogIn], None], uptime: Callable[[], int]) -> None:  # fmt: skip
        """`uptime` gives hundredths of a second. Nothing is bound yet."""
        self.behaviour = NORMAL
        self.requests = 0
        self._site = site
        self.device = device
        self._folder = folder / device.id
        self._account = account
        self._report = report
        self._uptime = uptime
        self._agent: Agent | None = None
        self._transports: list[asyncio.BaseTransport] = []
        self._listeners: list[asyncssh.SSHAcceptor] = []
        self._held: list[socket.socket] = []
        self._guests: WeakSet[asyncssh.SSHServerConnection] = WeakSet()

    @classmethod
    def silent(cls, site: Site, device: Device, folder: Path) -> Self:
        """An address at which something takes packets and never says a word."""
        doors = cls(site, device, folder, None, lambda _: None, lambda: 0)
        doors.behaviour = Behaviour(Kind.SILENT)
        return doors

    async def open(self, snmp_port: int, ssh_port: int) -> None:
        """Bind what the behaviour asks for."""
        if self.behaviour.kind == Kind.REFUSING:
            return
        for address in (self.device.address, *self.device.also):
            if address is None:
                continue
            host = dialled(address)
            if self.behaviour.kind == Kind.SILENT:
                self._mute(host, snmp_port, ssh_port)
                continue
            if self.device.snmp:
                await self._open_snmp(host, snmp_port)
            if self.device.ssh:
                await self._open_ssh(host, ssh_port)

    async def close(self) -> None:
        """Release all sockets."""
        for transport in self._transports:
            transport.close()
        for listener in self._listeners:
            listener.close()
            await listener.wait_closed()
        for guest in list(self._guests):
            guest.abort()
            await guest.wait_closed()
        for held in self._held:
            held.close()
        self._guests.clear()
        self._transports, self._listeners, self._held = [], [], []
        await asyncio.sleep(0)

    async def behave(self, behaviour: Behaviour, snmp_port: int, ssh_port: int) -> None:
        """Change the behaviour; sockets are opened anew only where that is needed."""
        bound_alike = self.behaviour.answers and behaviour.answers
        self.behaviour = behaviour
        if not bound_alike:
            await self.close()
            await self.open(snmp_port, ssh_port)

    async def become(self, device: Device) -> None:
        """Change what the device is; its agent and its recordings say so from now on."""
        self.device = device
        if self._agent is not None:
            for context, view in render(self._site, self.device, self._uptime).items():
                self._agent.replace(context, view)
        if self.device.linux is not None:
            record(self._site, self.device).write(self._folder / "recordings")

    def _mute(self, host: str, snmp_port: int, ssh_port: int) -> None:
        """Bind and never read. A TCP port is silent once its backlog is full: then the kernel drops what comes."""
        quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._held.append(quiet)
        quiet.bind((host, snmp_port))
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._held.append(door)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, ssh_port))
        door.listen(0)
        for _ in range(2):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex((host, ssh_port))
            self._held.append(filler)

    async def _open_snmp(self, host: str, port: int) -> None:
        if self._agent is None:
            views = render(self._site, self.device, self._uptime)
            access = _access(self.device, tuple(views))
            engine = Engine(_ENGINE_PREFIX + self.device.id.encode(), access.users, lambda: self._uptime() / 100)
            self._agent = Agent(views, access, engine)
        agent = self._agent
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        bound.setblocking(False)
        try:
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(agent, self), sock=bound
        )
        protocol.reply_by = transport
        self._transports.append(transport)

    async def _open_ssh(self, host: str, port: int) -> None:
        account = self._account
        if account is None:
            return
        server: Shell | Prompt
        version = "OpenSSH_9.2p1"
        if self.device.ssh == "shell" and self.device.linux is not None:
            if not (self._folder / "bin").exists():
                install(self._folder / "bin", self.device.linux.lldpd)
                record(self._site, self.device).write(self._folder / "recordings")
            server = Shell(self._folder, account.user, lambda: self.behaviour)
        else:
            server = Prompt(self.device.name, gear_cli.replies(self._site, self.device), lambda: self.behaviour)
            version = "Cisco-1.25"
        self._listeners.append(await asyncssh.listen(
            host, port, server_host_keys=[private_key(f"host {self.device.id}")], server_version=version,
            server_factory=lambda: Door(self.device.id, account, self._report, self._guests.add),
            process_factory=server.serve,
            encoding=None, reuse_address=True, login_timeout=30, gss_host=None, agent_forwarding=False,
            x11_forwarding=False,
        ))  # fmt: skip


def _access(device: Device, contexts: tuple[str, ...]) -> Access:
    """v2c agents also speak v1, as nearly all do; a v3 agent speaks nothing else."""
    if device.snmp == "v3":
        return Access(frozenset({3}), users=(User(V3_USER, "sha256", V3_AUTH, V3_PRIV),))
    communities = {
        (COMMUNITY + (f"@{context.partition('-')[2]}" if context else "")).encode(): context for context in contexts
    }
    return Access(frozenset({0}) if device.snmp == "v1" else frozenset({0, 1}), communities)


class _Datagrams(asyncio.DatagramProtocol):
    """Hands datagrams to the agent, and its replies back as the behaviour has it."""

    def __init__(self, agent: Agent, doors: Doors) -> None:
        self.reply_by: asyncio.DatagramTransport | None = None
        """Set once bound: in Python 3.11 what `connection_made` gets is no DatagramTransport by its type."""
        self._agent = agent
        self._doors = doors

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._doors.requests += 1
        behaviour = self._doors.behaviour
        lie = behaviour.lie if behaviour.kind == Kind.LYING else None
        reply = self._agent.answer(data, lie)
        if reply is None:
            return
        if lie == Lie.GARBAGE:
            reply = garbage(len(reply), self._doors.requests)
        if behaviour.kind == Kind.SLOW:
            asyncio.get_running_loop().call_later(behaviour.delay_s, self._send, reply, addr)
        else:
            self._send(reply, addr)

    def _send(self, reply: bytes, addr: tuple[str, int]) -> None:
        if self.reply_by is not None and not self.reply_by.is_closing():
            self.reply_by.sendto(reply, addr)
