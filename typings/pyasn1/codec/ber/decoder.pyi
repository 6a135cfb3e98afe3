from typing import TypeVar

from pyasn1.type.univ import Asn1Item

_T = TypeVar("_T", bound=Asn1Item)

def decode(substrate: bytes, asn1Spec: _T) -> tuple[_T, bytes]: ...
