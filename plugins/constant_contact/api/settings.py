"""What an Airflow connection of type `constant_contact` says, checked."""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from constant_contact.api import vendor
from constant_contact.errors import SettingError


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Fields:
    """The fields of one connection, each read once and complained about by its label."""

    conn_id: str
    extra: Mapping[str, Any]

    def wrong(self, label: str, problem: str) -> SettingError:
        """The error for the field that the form calls `label`."""
        return SettingError(f"connection {self.conn_id}, field {label}", problem)

    def text(self, key: str, default: str = "") -> str:
        """The extra field `key`, or `default` where it is absent, null or blank."""
        value = self.extra.get(key)
        return str(value).strip() or default if value is not None else default

    def number(self, key: str, default: float) -> float:
        """The extra field `key` as a number above zero."""
        raw = self.text(key)
        if not raw:
            return default
        try:
            value = float(raw)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise self.wrong(key, f"{raw!r} is not a number above zero; correct it or clear it")
        return value

    def url(self, label: str, raw: str) -> str:
        """`raw` without a trailing slash, if it is https, or http to this machine."""
        try:
            parts = urlsplit(raw)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise self.wrong(label, "is not a URL; write it as https://api.cc.email") from None
        if parts.scheme not in {"http", "https"} or not host:
            raise self.wrong(label, "is not a URL; write it as https://api.cc.email")
        if parts.username or parts.password:
            raise self.wrong(label, "must not hold a user or password; use Login and Password")
        if parts.scheme == "http" and not _is_loopback(host):
            raise self.wrong(
                label, f"http to {host} would show the token to the network; use https"
            )
        return raw.rstrip("/")


@dataclass(frozen=True)
class ApiSettings:
    """Everything a client needs to know; secrets stay out of its repr.

    Attributes:
        base_url: Scheme and host, without the API version.
        api_url: `base_url` with the version; paths of calls begin after it.
        refresh_token: The seed that a person put into the connection; "" if none.
    """

    conn_id: str
    api_key: str = field(repr=False)
    client_secret: str = field(repr=False)
    base_url: str
    api_version: str
    authorize_url: str
    token_url: str
    redirect_url: str
    scopes: tuple[str, ...]
    refresh_token: str = field(repr=False)
    calls_per_second: float
    calls_per_day: int
    timeout_s: float

    @property
    def api_url(self) -> str:
        """Where paths of calls begin."""
        return f"{self.base_url}/{self.api_version}"

    @property
    def api_key_digest(self) -> str:
        """What names the API key in the database: the budget belongs to the key."""
        return hashlib.sha256(self.api_key.encode()).hexdigest()[:32]

    @property
    def is_loopback(self) -> bool:
        """Whether the API is on this machine, as a simulator is."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def is_token_url_loopback(self) -> bool:
        """Whether tokens come from this machine; behind a proxy on it, only the API seems to."""
        return _is_loopback(urlsplit(self.token_url).hostname or "")

    @classmethod
    def from_connection(
        cls,
        *,
        conn_id: str,
        login: str | None,
        password: str | None,
        host: str | None,
        port: int | None,
        extra: Mapping[str, Any],
    ) -> Self:
        """Read the fields of an Airflow connection.

        Raises:
            SettingError: A field is missing or wrong; names it as the form labels it.
        """
        fields = Fields(conn_id, extra)
        if not (login or "").strip():
            raise fields.wrong("Login (API key)", "is empty; paste the API key of your application")
        if not (password or "").strip():
            raise fields.wrong(
                "Password (client secret)", "is empty; paste the secret of your application"
            )
        base_url = cls._base_url(fields, (host or "").strip(), port)
        version = fields.text("api_version", vendor.DEFAULT_API_VERSION).strip("/")
        plan_name = fields.text("rate_plan", "standard").lower()
        plan = vendor.RATE_PLANS.get(plan_name)
        if plan is None:
            known = " or ".join(vendor.RATE_PLANS)
            raise fields.wrong("rate_plan", f"{plan_name!r} is not a plan; choose {known}")
        scopes = fields.text("scope", " ".join(vendor.REQUIRED_SCOPES))
        return cls(
            conn_id=conn_id,
            api_key=(login or "").strip(),
            client_secret=(password or "").strip(),
            base_url=base_url.removesuffix(f"/{version}"),
            api_version=version,
            authorize_url=fields.url(
                "authorize_url", fields.text("authorize_url", vendor.DEFAULT_AUTHORIZE_URL)
            ),
            token_url=fields.url("token_url", fields.text("token_url", vendor.DEFAULT_TOKEN_URL)),
            redirect_url=fields.text("redirect_url"),
            scopes=tuple(scopes.replace(",", " ").replace("+", " ").split()),
            refresh_token=fields.text("refresh_token"),
            calls_per_second=fields.number("calls_per_second", plan.calls_per_second),
            calls_per_day=int(fields.number("calls_per_day", plan.calls_per_day)),
            timeout_s=fields.number("timeout_s", 30),
        )

    @staticmethod
    def _base_url(fields: Fields, host: str, port: int | None) -> str:
        label = "Host (API base URL)"
        if not host:
            return vendor.DEFAULT_BASE_URL
        url = fields.url(label, host if "://" in host else f"https://{host}")
        parts = urlsplit(url)
        # Airflow's Test button wants a port stored; the scheme's own says nothing new.
        if port and parts.port is None and port not in {80, 443}:
            url = f"{parts.scheme}://{parts.netloc}:{port}{parts.path}"
        return url
