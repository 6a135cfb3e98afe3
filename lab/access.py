"""What the site's devices let in, and where its addresses are dialled."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from lab.shell import Account, new_key

SNMP_PORT: Final = 16161
SSH_PORT: Final = 12222
COMMUNITY: Final = "lab-read"
V3_USER: Final = "lab"
V3_AUTH: Final = "lab-auth-password"
V3_PRIV: Final = "lab-priv-password"
SSH_USER: Final = "cmdb"
SITE_NETWORK: Final = "10.210.0.0/16"
DIALLED_NETWORK: Final = "127.210.0.0/16"
SSH_HOSTS: Final = "10.210.1.0/26"


@dataclass(frozen=True, slots=True)
class LabCredential:
    """A credential that the site's devices accept, in the words of `cmdb credential add`.

    `secrets` are the lines to enter: the community, authentication and privacy passwords, a password, or a key's text.
    """

    name: str
    kind: str
    networks: tuple[str, ...]
    secrets: tuple[str, ...]
    user: str | None = None
    auth: str | None = None
    priv: str | None = None
    sudo: bool = False


def new_account() -> Account:
    """Who may log in to this laboratory, and to no other.

    A host runs what it is sent in a real shell, as whoever started the laboratory: a password that anybody can read
    in its source would open that to all users of the machine.
    """
    return Account(SSH_USER, secrets.token_urlsafe(18), new_key())


def credentials(account: Account) -> tuple[LabCredential, ...]:
    """What opens all devices: one community, one user of v3, and one account by key or by password."""
    key = account.key.export_private_key("openssh").decode()
    return (
        LabCredential("lab-community", "snmp-v2c", (SITE_NETWORK,), (COMMUNITY,)),
        LabCredential("lab-v3", "snmp-v3", (SITE_NETWORK,), (V3_AUTH, V3_PRIV), V3_USER, "sha256", "aes128"),
        LabCredential("lab-key", "ssh-key", (SSH_HOSTS,), (key,), account.user, sudo=True),
        LabCredential("lab-password", "ssh-password", (SSH_HOSTS,), (account.password,), account.user, sudo=True),
    )


def dialled(address: str) -> str:
    """Where an address of the site is dialled: 10.210.x.y is at 127.210.x.y."""
    if not address.startswith("10.210."):
        raise ValueError(f"{address} is not in {SITE_NETWORK}")
    return f"127.{address.removeprefix('10.')}"
