"""The connection: authorized, tested, replaced."""
