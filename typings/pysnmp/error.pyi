class PySnmpError(Exception):
    cause: object
