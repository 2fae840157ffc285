"""What may be shown of a text that is not ours."""

import base64

import pytest

from constant_contact.api.replies import error_of
from constant_contact.errors import NotFound, SettingError
from constant_contact.redact import hide, redact


@pytest.mark.parametrize(
    "secret",
    [
        "ann.lee+news@example.com",
        "ann%40example.com",
        "Zoë.Müller@bücher.example",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ],
)
def test_addresses_and_tokens_are_taken_out(secret: str) -> None:
    shown = redact(f'Email already exists: "{secret}" (contact 4711)')
    assert secret not in shown
    assert "contact 4711" in shown


@pytest.mark.parametrize(
    "text",
    [
        '{"refresh_token": "abc123", "scope": "x"}',
        "refresh_token=abc123&scope=x",
        "Authorization: Bearer abc123",
        "'client_secret': 'abc123'",
    ],
)
def test_secrets_are_taken_out_by_their_names(text: str) -> None:
    assert "abc123" not in redact(text)


CODED = [
    r"jane\u0040example.com",
    r"\u006a\u0061\u006e\u0065\u0040\u0065\u0078ample.com",
    r"jane\\u0040example.com",
    r"jane\x40example.com",
    "jane%40example.com",
    "jane%2540example.com",
    "j%61ne%40example.com",
    "jane&#64;example.com",
    "jane&#x40;example.com",
    "jane&commat;example.com",
    "jane&amp;#64;example.com",
    "jane=40example.com",
    "ja=\r\nne=40example.com",
    "mailto:jane@example.com?subject=Hi",
    "mailto:jane%40example.com",
    "jane@xn--exmple-cua.com",
    "jane@bücher.example",
    "jane\uff20example.com",
    "jane\ufe6bexample.com",
    "jane\u200b@example.com",
    r"\u003cjane@example.com\u003e",
    "o'jane@example.com",
    '"jane doe"@example.com',
    "jane@[192.0.2.1]",
    base64.b64encode(b"jane@example.com").decode(),
    base64.urlsafe_b64encode(b'{"email":"jane@example.com"}').decode().rstrip("="),
]


@pytest.mark.parametrize("address", CODED)
def test_an_address_is_taken_out_however_it_is_written(address: str) -> None:
    for text in (f"Email already exists: {address} (contact 4711)", f'{{"is": "{address}"}} 4711'):
        shown = redact(text)
        assert "4711" in shown
        for trace in ("jane", "xample", "doe", "192", "amFuZ", "am"):
            assert trace not in shown.replace("<email>", "").replace("Email already", "")


@pytest.mark.parametrize(
    "text",
    [
        "100% of 40 contacts, 5=50%",
        "/v3/contacts?status=all&limit=500&cursor=bGltaXQ9NTAwJm5leHQ9Mg==",
        r'{"path": "C:\\new", "a": "caf\u00e9"}',
        "a &lt; b, f3a1b2c4-0000-4000-8000-000000000001",
    ],
)
def test_a_text_without_any_is_shown_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("coded", [r"refresh_token\u0022:\u0022abc123", "refresh_token%3Dabc123"])
def test_a_secret_is_taken_out_however_it_is_written(coded: str) -> None:
    assert "abc123" not in redact(coded)


@pytest.mark.parametrize(
    "control",
    ["\n", "\r\n", "\x1b[2K\x1b[1A", "\x9b2K", "\x00", "\x85", "\u2028", "\u202e", "\x08" * 9],
)
def test_a_text_forges_no_line_of_a_log_and_orders_no_terminal(control: str) -> None:
    said = redact(f"no such contact{control}2026-01-01 INFO all is well")
    assert said.isprintable()
    for error in (NotFound(f"GET {control}", status=404), SettingError(f"param {control}", "no")):
        assert str(error).isprintable()


def test_no_half_of_an_address_is_left_where_a_text_is_cut() -> None:
    hide("s" * 390)
    assert "jane" not in redact("s" * 390 + " jane.of@example.com" * 9, 100)
    assert "jane" not in error_of(b"s" * 390 + b"." * 100 + b"\njane.of@example.com")[1]


def test_long_texts_are_cut() -> None:
    assert len(redact("x" * 10_000, 100)) == 101


def test_a_text_without_a_blank_costs_no_more_than_its_length() -> None:
    text = "x" * 200_000
    # looked at from each character it takes an hour
    assert redact(text, len(text)) == text
    assert redact(f"{text}@example.com", len(text)) == "<email>"


def test_a_secret_inside_quoted_json_is_taken_out() -> None:
    assert "abc123" not in redact(r'{"message": "got {\"refresh_token\": \"abc123\"} twice"}')


def test_a_secret_that_is_known_is_taken_out_wherever_it_stands() -> None:
    hide("k5-unlikely-secret", "of")
    shown = redact("the value of k5-unlikely-secret is no token")
    assert shown == "the value of <secret> is no token"
