"""Turns what devices say into reports: recognise, collect, parse, observe. Read-only towards what it scans."""
