from collections.abc import AsyncIterator
from typing import Any, Self

from pysnmp.entity.engine import SnmpEngine as SnmpEngine
from pysnmp.proto.errind import ErrorIndication
from pysnmp.proto.rfc1902 import Integer32, ObjectName, OctetString, _Value
from pysnmp.smi.rfc1902 import ObjectIdentity as ObjectIdentity
from pysnmp.smi.rfc1902 import ObjectType as ObjectType

_Oid = tuple[int, ...]

USM_AUTH_NONE: _Oid
USM_AUTH_HMAC96_MD5: _Oid
USM_AUTH_HMAC96_SHA: _Oid
USM_AUTH_HMAC128_SHA224: _Oid
USM_AUTH_HMAC192_SHA256: _Oid
USM_AUTH_HMAC256_SHA384: _Oid
USM_AUTH_HMAC384_SHA512: _Oid
USM_PRIV_NONE: _Oid
USM_PRIV_CBC56_DES: _Oid
USM_PRIV_CBC168_3DES: _Oid
USM_PRIV_CFB128_AES: _Oid
USM_PRIV_CFB192_AES: _Oid
USM_PRIV_CFB256_AES: _Oid
USM_PRIV_CFB192_AES_BLUMENTHAL: _Oid
USM_PRIV_CFB256_AES_BLUMENTHAL: _Oid

class CommunityData:
    def __init__(
        self,
        communityIndex: str,
        communityName: str | None = None,
        mpModel: int | None = None,
        contextEngineId: OctetString | None = None,
        contextName: bytes | None = None,
        tag: bytes | None = None,
        securityName: str | None = None,
    ) -> None: ...

class UsmUserData:
    def __init__(
        self,
        userName: str,
        authKey: str | bytes | None = None,
        privKey: str | bytes | None = None,
        authProtocol: _Oid | None = None,
        privProtocol: _Oid | None = None,
        securityEngineId: OctetString | None = None,
        securityName: str | None = None,
    ) -> None: ...

class ContextData:
    def __init__(self, contextEngineId: OctetString | None = None, contextName: bytes = b"") -> None: ...

class UdpTransportTarget:
    timeout: float
    retries: int
    @classmethod
    async def create(cls, address: tuple[str, int], timeout: float = 1, retries: int = 5, tagList: bytes = b"") -> Self: ...

class Udp6TransportTarget(UdpTransportTarget): ...

# lookupMib=False takes and gives bare pairs of name and value instead of ObjectType.
_Bindings = tuple[tuple[ObjectName, _Value], ...]
_Response = tuple[ErrorIndication | None, Integer32 | int, Integer32 | int, _Bindings]

async def get_cmd(
    snmpEngine: SnmpEngine,
    authData: CommunityData | UsmUserData,
    transportTarget: UdpTransportTarget,
    contextData: ContextData,
    *varBinds: tuple[ObjectName, _Value] | ObjectType,
    **options: object,
) -> _Response: ...
async def next_cmd(
    snmpEngine: SnmpEngine,
    authData: CommunityData | UsmUserData,
    transportTarget: UdpTransportTarget,
    contextData: ContextData,
    *varBinds: tuple[ObjectName, _Value] | ObjectType,
    **options: object,
) -> _Response: ...
async def bulk_cmd(
    snmpEngine: SnmpEngine,
    authData: CommunityData | UsmUserData,
    transportTarget: UdpTransportTarget,
    contextData: ContextData,
    nonRepeaters: int,
    maxRepetitions: int,
    *varBinds: tuple[ObjectName, _Value] | ObjectType,
    **options: object,
) -> _Response: ...
def bulk_walk_cmd(
    snmpEngine: SnmpEngine,
    authData: CommunityData | UsmUserData,
    transportTarget: UdpTransportTarget,
    contextData: ContextData,
    nonRepeaters: int,
    maxRepetitions: int,
    varBind: tuple[ObjectName, _Value] | ObjectType,
    **options: object,
) -> AsyncIterator[_Response]: ...
