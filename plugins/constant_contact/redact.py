"""What may be shown of a text that came from somewhere else."""

import re

_EMAIL = re.compile(r"[^\s\"'<>@,;:=]+(?:@|%40)[^\s\"'<>@,;&]+")
_BEARER = re.compile(r"(?i)(bearer|basic)\s+[a-z0-9._~+/=-]+")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")
_SECRET_FIELD = re.compile(
    r"(?i)([\"']?(?:access_token|refresh_token|id_token|client_secret|code_verifier|code)[\"']?"
    r"\s*[:=]\s*[\"']?)[^\s\"'&,}]+"
)


def redact(text: str, max_chars: int = 2000) -> str:
    """Return `text` without email addresses, tokens and secrets, cut to `max_chars`."""
    text = text[: 4 * max_chars]
    text = _SECRET_FIELD.sub(r"\1<secret>", text)
    text = _BEARER.sub(r"\1 <secret>", text)
    text = _JWT.sub("<secret>", text)
    text = _EMAIL.sub("<email>", text)
    return text if len(text) <= max_chars else f"{text[:max_chars]}…"
