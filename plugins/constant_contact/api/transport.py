"""HTTP as every call of this package makes it: bounded in time and size, to one host only.

A reply ends by a deadline, whatever part of it drips: a read timeout alone starts again with each
byte. It is read up to a number of unpacked bytes: gzip packs a gigabyte into one megabyte. No
redirect is followed, since a 307 would send tokens on to wherever it says. And nothing of the
environment takes the place of our credentials, as a `.netrc` would.
"""

import http.client
import io
import logging
import socket
from time import monotonic
from typing import Any, Final, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.proxy import connection_requires_http_tunnel

from constant_contact.redact import redact

#: Of a whole reply, in read timeouts.
_PATIENCE: Final = 2
_CHUNK_BYTES: Final = 1 << 16


def _without_addresses(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


# They log whole URLs, with the address that a contact is looked up by.
for _logger in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_logger).addFilter(_without_addresses)

S = TypeVar("S", bound=requests.Session)


class ReplyTooLarge(requests.RequestException):
    """The reply has more unpacked bytes than any of the vendor's."""


class _TimedReader(io.RawIOBase):
    """What a socket receives, until a deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # Its own reader counts as a user of the socket, which is closed after the last one.
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._timeout_s = sock.gettimeout()
        self._deadline = monotonic() + _PATIENCE * (self._timeout_s or 0)

    def readable(self) -> bool:
        """As the reader of a socket."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive into `buffer`.

        Raises:
            TimeoutError: Nothing came in time, or the whole takes too long.
        """
        if self._timeout_s is None:
            received: int | None = self._raw.readinto(buffer)
            return received
        left_s = self._deadline - monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out: the reply dripped")
        self._sock.settimeout(min(self._timeout_s, left_s))
        received = self._raw.readinto(buffer)
        self._sock.settimeout(self._timeout_s)
        return received

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _TimedSocket:
    """The one thing that a response wants of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, *_mode: Any) -> io.BufferedReader:
        """The reader of one response."""
        return io.BufferedReader(_TimedReader(self._sock))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_TimedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection

    def connect(self, timeout_s: float) -> None:
        """Let a connection stand that the next request takes: none is kept in use meanwhile."""
        connection = self._get_conn()
        try:
            if connection.is_closed:
                connection.timeout = timeout_s
                if connection_requires_http_tunnel(self.proxy, self.proxy_config, self.scheme):
                    self._prepare_proxy(connection)
                else:
                    connection.connect()
        except BaseException:
            connection.close()
            raise
        finally:
            self._put_conn(connection)


class _TlsPool(_Pool, urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection  # type: ignore[assignment]


class BoundedAdapter(HTTPAdapter):
    """Sends requests whose replies are bounded.

    Args:
        timeout_s: Of one read, where a request names none.
        max_bytes: Of a reply, unpacked.
    """

    def __init__(self, timeout_s: float, max_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        _use_ours(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        """Likewise through a proxy."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _use_ours(manager)
        return manager

    def connect(
        self,
        request: requests.PreparedRequest,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        timeout_s: float | None = None,
    ) -> None:
        """Open the connection that a request will take, unless one stands already.

        Raises:
            requests.ConnectionError: There is none.
        """
        pool: Any = self.get_connection_with_tls_context(request, verify, proxies, cert)
        self.cert_verify(pool, request.url, verify, cert)  # type: ignore[no-untyped-call]
        try:
            pool.connect(self._timeout_s if timeout_s is None else timeout_s)
        except urllib3.exceptions.ConnectTimeoutError as error:
            raise requests.ConnectTimeout(error, request=request) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise requests.ConnectionError(error, request=request) from None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request; unless it is a stream, read its reply.

        Raises:
            requests.RequestException: It got none in time, or one that is too large.
        """
        timeout = self._timeout_s if timeout is None else timeout
        response = super().send(request, True, timeout, *args, **kwargs)
        if not stream:
            response._content = read_whole(response, self._max_bytes)
        return response


def connect(session: requests.Session, url: str, timeout_s: float) -> None:
    """Open a connection to where a request to `url` goes, unless one stands already.

    A handshake takes as long as a request; afterwards the request goes out at once.

    Raises:
        requests.ConnectionError: There is none.
    """
    adapter: Any = session.get_adapter(url)
    request = session.prepare_request(requests.Request("GET", url))
    chosen = session.merge_environment_settings(url, {}, None, None, None)
    adapter.connect(
        request, chosen["verify"], chosen["cert"], chosen["proxies"], timeout_s=timeout_s
    )


def _use_ours(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def read_whole(response: requests.Response, max_bytes: int) -> bytes:
    """The unpacked body of a reply that was asked for as a stream.

    Raises:
        ReplyTooLarge: It has more bytes.
        requests.RequestException: It was cut off, or took too long.
    """
    chunks = []
    left = max_bytes
    try:
        for chunk in response.iter_content(_CHUNK_BYTES):
            chunks.append(chunk)
            left -= len(chunk)
            if left < 0:
                break
    except requests.ConnectionError as error:
        # What is left of it must not be read as the beginning of the next reply.
        response.close()
        if error.args and isinstance(error.args[0], urllib3.exceptions.ReadTimeoutError):
            raise requests.ReadTimeout("the reply dripped", response=response) from None
        raise
    if left < 0:
        response.close()
        raise ReplyTooLarge(f"more than {max_bytes:,} bytes", response=response)
    return b"".join(chunks)


def secured(session: S, adapter: BoundedAdapter, *, is_loopback: bool, auth: Any = None) -> S:
    """A session as this package uses one.

    Args:
        session: A new one.
        adapter: What it sends by.
        is_loopback: It calls this machine, where no proxy is between.
        auth: What authorizes its requests; None: they do that themselves.
    """
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Proxies of the environment are the administrator's; a .netrc would replace the token.
    session.trust_env = not is_loopback
    session.auth = auth or _as_it_is
    session.get_redirect_target = _nowhere  # type: ignore[method-assign]
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _nowhere(resp: requests.Response) -> None:
    """Where a redirect leads: a reply that is one is the answer."""
