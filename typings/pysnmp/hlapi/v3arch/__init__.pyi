from pysnmp.hlapi.v3arch.asyncio import *
