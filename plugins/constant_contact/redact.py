"""What may be shown of a text that came from somewhere else."""

import base64
import binascii
import html
import re
import unicodedata

# A quoted local part may hold blanks, and any may hold an apostrophe: O'Brien's.
_LOCAL_PART = r"(?:[^\s\"'<>@,;:=]|(?<=\w)'(?=\w))+"
# A run without an address is one match, too: looked at from each of its characters, a reply of
# 8,000 without a blank takes seconds.
_EMAIL = re.compile(
    rf"((?:\"[^\"\n]{{1,64}}\\?\"|{_LOCAL_PART})(?:@|%40)[^\s\"'<>@,;&]+)|{_LOCAL_PART}"
)
_BEARER = re.compile(r"(?i)(bearer|basic)\s+[a-z0-9._~+/=-]+")
_JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")
_SECRET_FIELD = re.compile(
    r"(?i)([\"']?(?:access_token|refresh_token|id_token|client_secret|code_verifier|code)\\*[\"']?"
    r"\s*[:=]\s*\\*[\"']?)[^\s\"'&,}\\]+"
)
# Shorter ones would take words out of sentences.
_LEAST_SECRET_CHARS = 8
# What a terminal obeys or a log takes for a new line, and what turns the direction of a text.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
# A character as JSON (\u0040), a URL (%40) and quoted-printable (=40) write it; the last wraps
# lines too. HTML's are the standard library's to read.
_CODED = re.compile(r"\\+u\{?([0-9a-fA-F]{4})\}?|\\+x([0-9a-fA-F]{2})|[%=]([0-9a-fA-F]{2})|=\r?\n")
_BASE64 = re.compile(r"[\w+/-]{12,}={0,2}", re.ASCII)
# Coded once by each that a text has passed through.
_MOST_CODINGS = 4
# The longest that an address may be: what may be left of one where a text was cut.
_CUT_RUN = re.compile(r"[^\s\"'<>,;]{1,254}\Z")
# A value that does not fit its type (SQLSTATE class 22), in the quotes of the server's language.
_ABOUT_A_VALUE = "22"
_QUOTED = re.compile(r"""["'„“”«»].*["'„“”«»]""")
_known: set[str] = set()


def hide(*secrets: str) -> None:
    """From now on `redact` takes these out wherever they stand, whatever stands before them."""
    _known.update(secret for secret in secrets if len(secret) >= _LEAST_SECRET_CHARS)


def is_telling(text: str) -> bool:
    """Whether a text holds an address, a token or a secret, or the first half of an address."""
    shown = _decoded_if_needed(_taken_out(text))
    return shown != text or "@" in text or "%40" in text


def redact(text: str, max_chars: int = 2000) -> str:
    """Return `text` in one line, without addresses, tokens and secrets, cut to `max_chars`.

    A text that holds one in a coded form is shown decoded; any other as it is.
    """
    is_cut = len(text) > 4 * max_chars
    shown = _decoded_if_needed(_taken_out(text[: 4 * max_chars]))
    if is_cut and len(shown) <= max_chars:
        shown = f"{_CUT_RUN.sub('', shown)}…"
    shown = _UNSEEN.sub(" ", shown)
    return shown if len(shown) <= max_chars + is_cut else f"{shown[:max_chars]}…"


def told_by(error: BaseException) -> str:
    """What an error says, in one line; of a database's without what a row holds."""
    if not hasattr(error, "diag"):
        return redact(str(error) or type(error).__name__)
    # Only the server's first line: what it adds, and what the driver says itself, quotes rows.
    said = redact(error.diag.message_primary or type(error).__name__)
    is_about_a_value = (getattr(error, "sqlstate", None) or "").startswith(_ABOUT_A_VALUE)
    return _QUOTED.sub("a value", said) if is_about_a_value else said


def _taken_out(text: str) -> str:
    for secret in tuple(_known):
        text = text.replace(secret, "<secret>")
    text = _SECRET_FIELD.sub(r"\1<secret>", text)
    text = _BEARER.sub(r"\1 <secret>", text)
    text = _JWT.sub("<secret>", text)
    text = _without_addresses(text)
    return _BASE64.sub(_without_coded_address, text)


def _without_addresses(text: str) -> str:
    return _EMAIL.sub(lambda found: "<email>" if found[1] else found[0], text)


def _without_coded_address(found: re.Match[str]) -> str:
    """A base64 text as it is, unless an address is in it."""
    text = found[0].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        said = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return found[0]
    return found[0] if _without_addresses(said) == said else "<email>"


def _decoded_if_needed(shown: str) -> str:
    """A text as it is, or decoded once for each code that what is taken out was in."""
    text = shown
    for _ in range(_MOST_CODINGS):
        plain = unicodedata.normalize("NFKC", html.unescape(_CODED.sub(_character, text)))
        if plain == text:
            break
        text = _taken_out(plain)
        if text != plain:
            shown = text
    return shown


def _character(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    return chr(int(digits, 16)) if digits else ""
