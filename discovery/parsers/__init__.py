"""One function a reply: rows of SNMP, or the text of a command, in; typed facts out.

Nothing there: no facts. Something recognised as wrong: ParseError. A family file names a parser as `module.function`.
"""
