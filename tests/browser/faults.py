"""What a browser complains about in our pages."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

_OURS = "/constant-contact/"
# a request whose place a newer one took: hx-sync's "replace" at work. Of one that failed htmx says
# htmx:sendError or htmx:responseError besides.
_TOLD_BY_HTMX = ("htmx:sendAbort", "htmx:afterRequest")


class Faults:
    """Collects them, from every page and frame of a context; Airflow's own pages are not judged.

    A violation of the Content-Security-Policy is one: the console names it.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.seen: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._uncaught)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        # answers are judged below, by what asked for them
        is_told = message.text.startswith(("Failed to load resource", *_TOLD_BY_HTMX))
        if message.type == "error" and not is_told and _is_ours(message.location.get("url", "")):
            self.seen.append(f"console: {message.text}")

    def _uncaught(self, error: WebError) -> None:
        stack = error.error.stack or ""
        if _OURS in stack:
            self.seen.append(f"uncaught: {stack}")

    def _failed(self, request: Request) -> None:
        # what a page still asks for when it is left is aborted
        if _is_ours(request.url) and request.failure != "net::ERR_ABORTED":
            self.seen.append(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        # a page may say what is wrong; a script, a picture, a part of a page has to come
        worst = 500 if response.request.resource_type == "document" else 400
        if _is_ours(response.url) and response.status >= worst:
            self.seen.append(f"{response.request.method} {response.url}: {response.status}")


def _is_ours(url: str) -> bool:
    return urlsplit(url).path.startswith(_OURS)
