"""The authorize page and the token endpoint."""

from html import escape
from urllib.parse import parse_qsl, urlencode

from simulator.call import Reply
from simulator.errors import throttled
from simulator.oauth import OAuthError
from simulator.settings import SCOPES
from simulator.world import World

AUTHORIZE = "/oauth2/default/v1/authorize"
TOKEN = "/oauth2/default/v1/token"  # noqa: S105 - a path
_KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


def handle(  # noqa: PLR0917 - their types differ
    world: World, method: str, path: str, query: str, headers: dict[str, str], raw: bytes
) -> Reply:
    """Answer a call under ``/oauth2``."""
    if path == AUTHORIZE and method in ("GET", "POST"):
        given = dict(parse_qsl(query))
        if method == "POST":
            given |= dict(parse_qsl(raw.decode("utf-8", "replace")))
        return _authorize(world, method, given)
    if path == TOKEN and method == "POST":
        return _token(world, headers, raw)
    status = 405 if path in (AUTHORIZE, TOKEN) else 404
    return Reply(status, {"error": "invalid_request"})


def _token(world: World, headers: dict[str, str], raw: bytes) -> Reply:
    if not world.token_rate.admit(world.limits.token_calls_per_second):
        error = throttled()
        return Reply(error.status, error.body)
    try:
        client_id = world.oauth.authenticate(headers.get("authorization"))
        answer = world.oauth.token(client_id, _form(headers.get("content-type", ""), raw))
    except OAuthError as refused:
        return Reply(
            refused.status, {"error": refused.error, "error_description": refused.description}
        )
    return Reply(200, answer, headers={"cache-control": "no-store", "pragma": "no-cache"})


def _form(content_type: str, raw: bytes) -> dict[str, str]:
    if content_type.split(";", maxsplit=1)[0].strip() != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "The body must be a form.")
    return dict(parse_qsl(raw.decode("utf-8", "replace")))


def _authorize(world: World, method: str, given: dict[str, str]) -> Reply:
    client_id, redirect_uri = given.get("client_id", ""), given.get("redirect_uri", "")
    if world.oauth.secret_of(client_id) is None:
        return _page(400, "<h1>Error 400</h1><p>invalid_client: the client_id is unknown.</p>")
    if not world.oauth.is_registered(redirect_uri):
        return _page(
            400, "<h1>Error 400</h1><p>The 'redirect_uri' parameter is not registered.</p>"
        )
    if given.get("response_type") != "code":
        return _back(given, error="unsupported_response_type")
    scopes = tuple(given.get("scope", "").replace("+", " ").split())
    if not scopes or any(each not in SCOPES for each in scopes):
        return _back(given, error="invalid_scope")
    challenge = given.get("code_challenge")
    if challenge is not None and given.get("code_challenge_method") != "S256":
        return _back(given, error="invalid_request")
    if not given.get("state"):
        # The vendor's authorization server refuses a request without a state.
        return _back(given, error="invalid_request")
    if method == "GET":
        return _consent(given, scopes)
    if given.get("decision") != "allow":
        return _back(given, error="access_denied")
    return _back(given, code=world.oauth.make_code(client_id, scopes, redirect_uri, challenge))


def _back(given: dict[str, str], **answer: str) -> Reply:
    if given.get("state"):
        answer["state"] = given["state"]
    uri = given["redirect_uri"]
    joint = "&" if "?" in uri else "?"
    return Reply(
        302,
        raw=b"",
        content_type="text/html",
        headers={"location": uri + joint + urlencode(answer)},
    )


def _consent(given: dict[str, str], scopes: tuple[str, ...]) -> Reply:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(given[name])}">'
        for name in _KEPT
        if name in given
    )
    wanted = "".join(f"<li>{escape(each)}</li>" for each in scopes)
    return _page(
        200,
        "<h1>Allow access?</h1><p>The application <b>"
        + escape(given["client_id"])
        + f"</b> asks for:</p><ul>{wanted}</ul>"
        + f'<form method="post" action="{AUTHORIZE}">{hidden}'
        + '<button name="decision" value="allow">Allow</button> '
        + '<button name="decision" value="deny">Deny</button></form>',
    )


def _page(status: int, inner: str) -> Reply:
    html = (
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>Simulator: authorize"
        "</title><style>body{font:16px system-ui;max-width:32em;margin:4em auto;padding:0 1em}"
        f"button{{font:inherit;padding:.4em 1.2em}}</style></head><body>{inner}</body></html>"
    )
    return Reply(status, raw=html.encode(), content_type="text/html; charset=utf-8")
