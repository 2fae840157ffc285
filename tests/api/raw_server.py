"""A server that sends what a test says, byte by byte, as no HTTP library would."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.serving import serving

#: Sends the answer to one request; raises OSError when the client has gone.
Answer = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """What answers, and what it was asked."""

    url: str
    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    #: Set when a client has hung up on an answer.
    hung_up: threading.Event = field(default_factory=threading.Event)


@contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """Run one; a connection is one request."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            served.requests.append(_request(self.request))
            try:
                served.answer(self.request)
            except OSError:
                served.hung_up.set()

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = RawServer(f"http://127.0.0.1:{server.server_address[1]}", answer)
    with serving(server):
        yield served


def whole(status: str, body: bytes, *headers: str) -> Answer:
    """An answer with nothing odd about how it is sent."""
    head = "\r\n".join(
        [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    )
    return lambda sock: sock.sendall(head.encode() + b"\r\n\r\n" + body)


def dripping(head: bytes, piece: bytes, every_s: float = 0.05, pieces: int = 600) -> Answer:
    """`head`, then `piece` again and again until the client goes; at last it ends by itself."""

    def answer(sock: socket.socket) -> None:
        sock.sendall(head)
        for _ in range(pieces):
            time.sleep(every_s)
            sock.sendall(piece)

    return answer


def _request(sock: socket.socket) -> bytes:
    """Head and body of what the client sends."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += sock.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n")
         if line.lower().startswith(b"content-length:")), 0,
    )  # fmt: skip
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body
