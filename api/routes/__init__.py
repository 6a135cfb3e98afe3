"""The routes of /api/v1: parse, one call, one answer."""
