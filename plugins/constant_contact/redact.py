"""What may be shown of a text that came from somewhere else."""

import re

_EMAIL = re.compile(r"[^\s\"'<>@,;:=]+(?:@|%40)[^\s\"'<>@,;&]+")
_BEARER = re.compile(r"(?i)(bearer|basic)\s+[a-z0-9._~+/=-]+")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")
_SECRET_FIELD = re.compile(
    r"(?i)([\"']?(?:access_token|refresh_token|id_token|client_secret|code_verifier|code)\\*[\"']?"
    r"\s*[:=]\s*\\*[\"']?)[^\s\"'&,}\\]+"
)
# Shorter ones would take words out of sentences.
_LEAST_SECRET_CHARS = 8
_known: set[str] = set()


def hide(*secrets: str) -> None:
    """From now on `redact` takes these out wherever they stand, whatever stands before them."""
    _known.update(secret for secret in secrets if len(secret) >= _LEAST_SECRET_CHARS)


def redact(text: str, max_chars: int = 2000) -> str:
    """Return `text` without email addresses, tokens and secrets, cut to `max_chars`."""
    text = text[: 4 * max_chars]
    for secret in tuple(_known):
        text = text.replace(secret, "<secret>")
    text = _SECRET_FIELD.sub(r"\1<secret>", text)
    text = _BEARER.sub(r"\1 <secret>", text)
    text = _JWT.sub("<secret>", text)
    text = _EMAIL.sub("<email>", text)
    return text if len(text) <= max_chars else f"{text[:max_chars]}…"
