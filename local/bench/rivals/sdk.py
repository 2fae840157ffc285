"""What readings through the vendor's own SDK share; runs in the environment of `make judge`."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def pages(client: Any, first: Callable[[], Any]) -> Iterator[Any]:
    """All pages of what `first` asks for.

    The SDK cannot follow next links by itself: its transport and its model read the others.
    """
    page = first()
    model = type(page).__name__
    while True:
        yield page
        if page.links is None or page.links.next is None:
            return
        parts = urlsplit(page.links.next.href)
        request = client.param_serialize(
            method="GET",
            resource_path=parts.path.removeprefix("/v3"),
            query_params=parse_qsl(parts.query),
            auth_settings=["oauth2_access_code"],
        )
        answer = client.call_api(*request)
        answer.read()
        page = client.response_deserialize(answer, {"200": model}).data
