"""How a device is asked: SNMP, SSH, or a recording that answers in its place."""
