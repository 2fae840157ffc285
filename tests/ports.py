"""A port for a server that a test starts."""

import socket
from contextlib import suppress
from random import SystemRandom


def free_port() -> int:
    """Return a port without a listener, which the kernel gives to no other process meanwhile."""
    for port in SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are taken")
