"""Bytes in and out: reading bodies, sending replies well and badly, and cutting connections."""

import asyncio
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from simulator.call import Reply
from simulator.faults import Fault

TRANSPORT = "simulator.transport"


class Protocol(HttpToolsProtocol):
    """Hands the connection to the application, so that faults can cut it."""

    def on_message_begin(self) -> None:
        """Put the connection where the application finds it."""
        super().on_message_begin()
        scope: Any = self.scope
        scope[TRANSPORT] = self.transport


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def abort(scope: Scope) -> None:
    """Reset the connection: the client sees no answer, not even an orderly end."""
    transport = scope[TRANSPORT]
    if transport.is_closing():  # the client has given up: its socket is no longer ours
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # Let the server notice, or it would complain that there was no answer.
    await asyncio.sleep(0.01)


async def send_reply(scope: Scope, send: Send, reply: Reply, fault: Fault | None = None) -> None:
    """Send a reply, or as much of it as the fault lets through."""
    payload = reply.payload()
    headers = {"content-type": reply.content_type, **reply.headers}
    if reply.status == 204:
        del headers["content-type"]
    length = len(payload)
    mid_body = fault is not None and fault.kind == "truncated_json" and fault.params.get("mid_body")
    if mid_body:
        length *= 2  # promises the whole, sends the half
    if reply.status != 204:
        headers["content-length"] = str(length)
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    if fault is not None and fault.kind == "slow_drip":
        size = int(fault.params.get("chunk_bytes", 64))
        for at in range(0, len(payload), size):
            chunk = payload[at : at + size]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(float(fault.params.get("delay_s", 0.05)))
        payload = b""
    if mid_body:
        await send({"type": "http.response.body", "body": payload, "more_body": True})
        await asyncio.sleep(0.02)
        await abort(scope)
        return
    await send({"type": "http.response.body", "body": payload})
