"""The edges: HTTP API, pages, command line, settings and wiring."""
