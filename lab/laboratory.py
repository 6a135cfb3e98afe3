"""The laboratory at work: every device of the site on its own loopback address, in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from lab.access import DIALLED_NETWORK, SITE_NETWORK, LabCredential, credentials, dialled, new_account
from lab.behaviour import NORMAL, Behaviour
from lab.description import Device, Site
from lab.doors import Doors
from lab.shell import LogIn, private_key
from lab.site import SITE

_BOOTED_BEFORE_S = 8_640_000
_PORT_CHOICES = (20000, 32000)
_TRIES = 20
T = TypeVar("T")


class Lab:
    """A running laboratory. Start it with `Lab.start`, and use it in a `with` statement, which stops it."""

    address_map: Mapping[str, str] = MappingProxyType({SITE_NETWORK: DIALLED_NETWORK})

    def __init__(self, site: Site, snmp_port: int, ssh_port: int) -> None:
        self.site = site
        self.snmp_port = snmp_port
        self.ssh_port = ssh_port
        self.networks = site.networks
        self.log_ins: list[LogIn] = []
        self._muted: list[Doors] = []
        self._folder = Path(tempfile.mkdtemp(prefix="lab-"))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab", daemon=True)
        start = time.monotonic()
        self._account = new_account()
        self._doors = {
            device.id: Doors(site, device, self._folder, self._account, self.log_ins.append,
                             lambda: int((time.monotonic() - start + _BOOTED_BEFORE_S) * 100))
            for device in site.devices
            if device.snmp or device.ssh
        }  # fmt: skip

    @classmethod
    def start(cls, snmp_port: int | None = None, ssh_port: int | None = None, site: Site = SITE) -> Self:
        """Start every device. Without ports, two free ones are found; with ports, OSError where one is in use."""
        choose = random.SystemRandom()
        for _ in range(_TRIES):
            lab = cls(site, snmp_port or choose.randrange(*_PORT_CHOICES), ssh_port or choose.randrange(*_PORT_CHOICES))
            lab._thread.start()
            try:
                lab._call(lab._open())
            except OSError as error:
                lab.stop()
                if error.errno != errno.EADDRINUSE or (snmp_port and ssh_port):
                    raise
            except BaseException:
                lab.stop()
                raise
            else:
                return lab
        raise OSError(errno.EADDRINUSE, f"no free pair of ports after {_TRIES} tries")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every socket, end what still runs, and remove the recordings."""
        if self._thread.is_alive():
            self._call(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        if not self._loop.is_closed():
            self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def addresses(self) -> dict[str, str]:
        """The site's address of each device that answers, by the device's id."""
        return {id_: device.address for id_ in self._doors if (device := self.site.device(id_)).address is not None}

    @property
    def recordings(self) -> Path:
        """The folder with the recordings of the Linux hosts."""
        return self._folder

    @property
    def credentials(self) -> tuple[LabCredential, ...]:
        """What opens all devices. The account of SSH is another in each laboratory."""
        return credentials(self._account)

    def dial(self, name: str) -> str:
        """The loopback address of a device."""
        return dialled(self.addresses[name])

    def host_key(self, name: str) -> str:
        """The fingerprint of a device's host key, as OpenSSH prints it."""
        return private_key(f"host {name}").get_fingerprint()

    def set_behaviour(self, name: str, behaviour: Behaviour) -> None:
        """From now on, let a device behave like this."""
        self._call(self._doors[name].behave(behaviour, self.snmp_port, self.ssh_port))

    def restore(self) -> None:
        """Let all devices behave again, and be again what the site says."""
        for name, doors in self._doors.items():
            if doors.behaviour != NORMAL:
                self.set_behaviour(name, NORMAL)
            device = self.site.device(name)
            if doors.device != device:
                self._call(doors.become(device))

    def requests(self, name: str) -> int:
        """How many datagrams a device was sent since the start; silent ones are not counted."""
        return self._doors[name].requests

    def change(self, name: str, alter: Callable[[Device], Device]) -> None:
        """Let a device be another from now on (a new serial, one port less); its SNMP replies and recordings follow.

        What others say of it (neighbours, bridge tables) stays what the site says.
        """
        doors = self._doors[name]
        self._call(doors.become(alter(doors.device)))

    async def _open(self) -> None:
        for doors in self._doors.values():
            await doors.open(self.snmp_port, self.ssh_port)
        for address in self.site.silent:
            await self._silence(address)

    async def _silence(self, address: str) -> None:
        device = Device(id=f"silent {address}", cls="unknown_device", name="", family="silent", address=address)
        doors = Doors.silent(self.site, device, self._folder)
        self._muted.append(doors)
        await doors.open(self.snmp_port, self.ssh_port)

    async def _close(self) -> None:
        for doors in (*self._doors.values(), *self._muted):
            await doors.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*rest, return_exceptions=True)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
