from collections.abc import Sequence

from pyasn1.type.univ import ObjectIdentifier

class ObjectName(ObjectIdentifier):
    def __init__(self, value: Sequence[int]) -> None: ...
