from pysnmp.carrier.asyncio.dgram.udp import UdpTransport
from pysnmp.entity.engine import SnmpEngine

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
USM_PRIV_CFB128_AES: _Oid
USM_PRIV_CFB192_AES: _Oid
USM_PRIV_CFB256_AES: _Oid
USM_PRIV_CFB192_AES_BLUMENTHAL: _Oid
USM_PRIV_CFB256_AES_BLUMENTHAL: _Oid

def add_v3_user(
    snmpEngine: SnmpEngine,
    userName: str,
    authProtocol: _Oid,
    authKey: bytes | None,
    privProtocol: _Oid,
    privKey: bytes | None,
) -> None: ...
def add_target_parameters(snmpEngine: SnmpEngine, name: str, securityName: str, securityLevel: str) -> None: ...
def add_target_address(
    snmpEngine: SnmpEngine,
    addrName: str,
    transportDomain: _Oid,
    transportAddress: tuple[str | int, ...],
    params: str,
    timeout: float,
    retryCount: int,
) -> None: ...
def add_transport(snmpEngine: SnmpEngine, transportDomain: _Oid, transport: UdpTransport) -> None: ...
