"""What a connection's fields become, and what is said of wrong ones."""

from typing import Any

import pytest

from constant_contact.api.settings import ApiSettings
from constant_contact.errors import SettingError


def settings(**fields: Any) -> ApiSettings:
    given = {"login": "key", "password": "secret", "host": None, "port": None, "extra": {}} | fields
    return ApiSettings.from_connection(conn_id="constant_contact_default", **given)


@pytest.mark.parametrize(
    ("host", "port", "base_url"),
    [
        pytest.param(None, None, "https://api.cc.email", id="empty: the vendor's"),
        pytest.param(
            "", 443, "https://api.cc.email", id="empty with the port the Test button wants"
        ),
        pytest.param("api.cc.email", None, "https://api.cc.email", id="no scheme: https"),
        pytest.param("https://api.cc.email/", 443, "https://api.cc.email", id="trailing slash"),
        pytest.param(
            "https://api.cc.email/v3", None, "https://api.cc.email", id="with the version"
        ),
        pytest.param(
            "https://proxy.example/ctct", 8443, "https://proxy.example:8443/ctct", id="port"
        ),
        pytest.param("http://127.0.0.1:8099", 443, "http://127.0.0.1:8099", id="own port wins"),
        pytest.param("http://localhost:8099", None, "http://localhost:8099", id="loopback by name"),
    ],
)
def test_the_host_field_names_the_api(host: str | None, port: int | None, base_url: str) -> None:
    assert settings(host=host, port=port).base_url == base_url


@pytest.mark.parametrize(
    ("extra", "rate", "day"),
    [
        pytest.param({}, 4, 10_000, id="standard by default"),
        pytest.param({"rate_plan": "partner"}, 20, 250_000, id="partner"),
        pytest.param(
            {"rate_plan": "Partner", "calls_per_second": "10"}, 10, 250_000, id="override"
        ),
        pytest.param({"rate_plan": None, "calls_per_day": 500}, 4, 500, id="a shared key's share"),
        pytest.param(
            {"calls_per_second": "", "calls_per_day": None}, 4, 10_000, id="cleared fields"
        ),
    ],
)
def test_the_rate_plan_gives_the_limits_and_a_field_overrides_each(
    extra: dict[str, Any], rate: float, day: int
) -> None:
    read = settings(extra=extra)
    assert (read.calls_per_second, read.calls_per_day) == (rate, day)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"login": " "}, "Login (API key)"),
        ({"password": None}, "Password (client secret)"),
        ({"host": "http://api.cc.email"}, "Host (API base URL)"),
        ({"host": "https://"}, "Host (API base URL)"),
        ({"host": "https://user:pw@api.cc.email"}, "Host (API base URL)"),
        ({"host": "https://api.cc.email:port"}, "Host (API base URL)"),
        ({"extra": {"token_url": "http://elsewhere.example/token"}}, "token_url"),
        ({"extra": {"authorize_url": "nonsense"}}, "authorize_url"),
        ({"extra": {"rate_plan": "gold"}}, "rate_plan"),
        ({"extra": {"calls_per_second": "-4"}}, "calls_per_second"),
        ({"extra": {"calls_per_day": "many"}}, "calls_per_day"),
        ({"extra": {"timeout_s": "0"}}, "timeout_s"),
        ({"extra": {"timeout_s": "nan"}}, "timeout_s"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields: dict[str, Any], names: str) -> None:
    with pytest.raises(SettingError, match="connection constant_contact_default") as refused:
        settings(**fields)
    assert f"field {names}" in str(refused.value)
    assert "secret" not in str(refused.value).replace("client secret", "").replace(
        "the secret of your application", ""
    )


def test_the_secrets_are_not_in_its_repr() -> None:
    shown = repr(settings(login="KEY1", password="SECRET1", extra={"refresh_token": "SEED1"}))
    assert not any(secret in shown for secret in ("KEY1", "SECRET1", "SEED1"))


def test_the_key_is_known_to_the_database_by_a_digest_only() -> None:
    assert settings(login="KEY1").api_key_digest == settings(login=" KEY1 ").api_key_digest
    assert settings(login="KEY1").api_key_digest != settings(login="KEY2").api_key_digest
    assert "KEY1" not in settings(login="KEY1").api_key_digest
