"""Reads the `[constant_contact]` options and wires them into DAGs."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow.sdk import CronDataIntervalTimetable
from airflow.sdk.configuration import conf
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from constant_contact.accounts import DEFAULT, PAGES, Account, accounts_named
from constant_contact.airflow_versions import options_set, warn_if_untried
from constant_contact.alerts import late
from constant_contact.errors import SettingError
from constant_contact.options import OPTIONS, SECTION


def _wrong(option: str, problem: str) -> SettingError:
    return SettingError(f"Airflow configuration [{SECTION}] {option}", problem)


def unknown_options() -> list[str]:
    """What stands in our section and is none of its options, such as a misspelt one."""
    return sorted(options_set(SECTION) - OPTIONS.keys())


def text(option: str) -> str:
    """The option as it is written, or its default."""
    return str(conf.get(SECTION, option, fallback=OPTIONS[option]["default"])).strip()


def page_url(account: Account, path: str) -> str:
    """The address of an account's page, as far as Airflow knows its own."""
    airflow = str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    return f"{airflow}{PAGES}{account.pages}{path}"


def number(option: str) -> float:
    """The option as a number of zero or more.

    Raises:
        SettingError: It is not that.
    """
    raw = text(option)
    try:
        value = float(raw)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise _wrong(option, f"{raw!r} is not a number of zero or more")
    return value


def at_least_one(option: str) -> int:
    """The option as a whole number of one or more.

    Raises:
        SettingError: It is not that.
    """
    raw = text(option)
    if not (raw.isascii() and raw.isdigit() and int(raw)):
        raise _wrong(option, f"{raw!r} is not a whole number of one or more")
    return int(raw)


def words(option: str, known: Iterable[str]) -> frozenset[str]:
    """The option as some of the words that it may have, separated by commas.

    Raises:
        SettingError: One of them is unknown, or there is none.
    """
    given = frozenset(filter(None, map(str.strip, text(option).split(","))))
    allowed = ", ".join(known)
    if unknown := sorted(given - frozenset(known)):
        raise _wrong(option, f"{unknown[0]!r} is none of {allowed}")
    if not given:
        raise _wrong(option, f"is empty; name one at least of {allowed}")
    return given


def accounts() -> tuple[Account, ...]:
    """The default account first, then those of the option `accounts`.

    Raises:
        SettingError: A name of it is malformed, or there twice.
    """
    try:
        return accounts_named(text("accounts"))
    except ValueError as error:
        raise _wrong("accounts", str(error)) from None


def _callback(option: str) -> Callable[..., Any] | None:
    path = text(option)
    if not path:
        return None
    module, _, name = path.rpartition(".")
    try:
        callback: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        raise _wrong(option, f"there is no {path!r} to import") from None
    return callback


def hold_callback() -> Callable[..., Any] | None:
    """What is called when a person is asked about a hold; None: nothing.

    Raises:
        SettingError: It cannot be imported.
    """
    return _callback("on_hold_callback")


def nightly_deadline() -> DeadlineAlert | None:
    """When a nightly run is late, and who hears of it; None: the option says never.

    Raises:
        SettingError: The callable cannot be imported, or is not async.
    """
    minutes, callback = number("deadline_minutes"), _callback("on_deadline_callback")
    if callback and not iscoroutinefunction(callback):
        raise _wrong("on_deadline_callback", "is not async: the triggerer can call nothing else")
    if not minutes:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=minutes),
        callback=AsyncCallback(late, {"callback": text("on_deadline_callback")}),
    )


def nightly(cron: str) -> CronDataIntervalTimetable:
    """A schedule in the configured zone, whose runs cover the day before them."""
    zone = text("timezone")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise _wrong("timezone", f"{zone!r} is not a time zone, such as Europe/Berlin") from None
    return CronDataIntervalTimetable(cron, timezone=zone)


def dag_defaults(account: Account = DEFAULT) -> dict[str, Any]:
    """What all DAGs of an account have in common; its connections reach every task by it.

    Another Airflow than those tried is a warning, which Airflow shows with the DAG file.

    Raises:
        SettingError: An option is wrong.
    """
    warn_if_untried()
    return {
        "start_date": datetime(2024, 1, 1, tzinfo=UTC),
        "catchup": False,
        "max_active_runs": 1,
        "on_failure_callback": _callback("on_failure_callback"),
        "default_args": {
            "owner": "constant_contact",
            "retries": 3,
            "retry_delay": timedelta(minutes=2),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=30),
            "execution_timeout": timedelta(hours=6),
            "constant_contact_conn_id": account.constant_contact_conn_id,
            "crm_conn_id": account.crm_conn_id,
            "refuses_unknown_params": True,
        },
    }
