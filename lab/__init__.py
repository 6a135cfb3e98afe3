"""A data centre on loopback that speaks real SNMP and SSH, rendered from one description of a site."""

from __future__ import annotations

from lab.access import SNMP_PORT, SSH_PORT, LabCredential, dialled
from lab.behaviour import NORMAL, REFUSING, SILENT, Behaviour, Kind, Lie, lying, slow
from lab.laboratory import Lab
from lab.shell import LogIn

__all__ = [
    "NORMAL", "REFUSING", "SILENT", "SNMP_PORT", "SSH_PORT", "Behaviour", "Kind", "Lab", "LabCredential", "Lie",
    "LogIn", "dialled", "lying", "slow",
]  # fmt: skip
