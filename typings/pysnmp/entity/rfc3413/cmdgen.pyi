from collections.abc import Callable, Sequence

from pyasn1.type.univ import Null
from pysnmp.entity.engine import SnmpEngine
from pysnmp.proto.rfc1902 import ObjectName

_Varbinds = Sequence[tuple[ObjectName, Null]]

class GetCommandGenerator:
    def send_varbinds(
        self,
        snmpEngine: SnmpEngine,
        targetName: str,
        contextEngineId: bytes | None,
        contextName: str,
        varBinds: _Varbinds,
        cbFun: Callable[..., None],
    ) -> int: ...

class NextCommandGeneratorSingleRun(GetCommandGenerator): ...

class BulkCommandGeneratorSingleRun:
    def send_varbinds(
        self,
        snmpEngine: SnmpEngine,
        targetName: str,
        contextEngineId: bytes | None,
        contextName: str,
        nonRepeaters: int,
        maxRepetitions: int,
        varBinds: _Varbinds,
        cbFun: Callable[..., None],
    ) -> int: ...
