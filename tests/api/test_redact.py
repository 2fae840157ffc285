"""What may be shown of somebody else's text."""

import pytest

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


def test_long_texts_are_cut() -> None:
    assert len(redact("x" * 10_000, 100)) == 101


def test_a_secret_inside_quoted_json_is_taken_out() -> None:
    assert "abc123" not in redact(r'{"message": "got {\"refresh_token\": \"abc123\"} twice"}')


def test_a_secret_that_is_known_is_taken_out_wherever_it_stands() -> None:
    hide("k5-unlikely-secret", "of")
    shown = redact("the value of k5-unlikely-secret is no token")
    assert shown == "the value of <secret> is no token"
