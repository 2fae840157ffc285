"""What a contact in a request must look like: limits as the contract's maxLength and maxItems."""

import re
from typing import Any

from simulator.contacts import PERMISSIONS
from simulator.errors import invalid, refuse_unknown
from simulator.ids import is_uuid
from simulator.settings import UNITS
from simulator.world import World

MAX_MEMBERSHIPS = 50
TEXT_LENGTHS = {"first_name": 50, "last_name": 50, "job_title": 50, "company_name": 50}
SUB_RESOURCE_ITEMS = {
    "custom_fields": 25,
    "phone_numbers": 3,
    "street_addresses": 3,
    "taggings": 50,
    "notes": 150,
}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ANNIVERSARY = re.compile(
    r"\d{1,2}/\d{1,2}/\d{4}|\d{4}/\d{1,2}/\d{1,2}|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}-\d{1,2}-\d{4}"
)
#: Properties that the contract marks read-only in a contact: accepted and ignored.
READ_ONLY = {"contact_id", "created_at", "updated_at", "deleted_at"}
_WRITABLE = {
    "email_address",
    *TEXT_LENGTHS,
    "birthday_month",
    "birthday_day",
    "anniversary",
    "list_memberships",
    "sms_channel",
    *SUB_RESOURCE_ITEMS,
}
EMAIL_PUT = {
    "address",
    "permission_to_send",
    "created_at",
    "updated_at",
    "opt_in_date",
    "opt_in_source",
    "opt_out_source",
    "opt_out_date",
    "opt_out_reason",
    "confirm_status",
}
EMAIL_POST = {"address", "permission_to_send"}


def check(body: dict[str, Any], source: str, email_properties: set[str], unit: str) -> None:
    """Check the body of a POST or PUT; `source` is its update_source or create_source.

    `unit` is what the longest texts are counted in.

    Raises:
        ApiError: 400, naming the property.
    """
    other = "create_source" if source == "update_source" else "update_source"
    refuse_unknown(body.keys() - _WRITABLE - READ_ONLY - {source, other})
    if body.get(source) not in ("Contact", "Account"):
        raise invalid(f"{source} is required and must be Contact or Account")
    for name, length in TEXT_LENGTHS.items():
        _text(body, name, length, unit)
    _birthday(body)
    _text(body, "anniversary", 10)
    if body.get("anniversary") and not ANNIVERSARY.fullmatch(body["anniversary"]):
        raise invalid("anniversary has an invalid date format")
    for name, most in SUB_RESOURCE_ITEMS.items():
        _items(body, name, most)
    email = body.get("email_address")
    if email is not None:
        _email(email, email_properties, unit)


def list_numbers(world: World, value: object, name: str, least: int = 0) -> list[int]:
    """List ids of a request as numbers of lists.

    Raises:
        ApiError: 400, not an array of `least` to 50 ids of lists that exist.
    """
    if not isinstance(value, list) or not least <= len(value) <= MAX_MEMBERSHIPS:
        raise invalid(f"{name} must be an array of {least} to {MAX_MEMBERSHIPS} list ids")
    numbers = []
    for each in value:
        number = world.lists.number(each) if is_uuid(each) else None
        if number is None:
            raise invalid(f"{name}: there is no list {each!r}")
        numbers.append(number)
    return numbers


def is_email(text: object) -> bool:
    """Something, an at sign, something with a dot."""
    return isinstance(text, str) and EMAIL.fullmatch(text) is not None


def _email(email: object, allowed: set[str], unit: str) -> None:
    if not isinstance(email, dict):
        raise invalid("email_address must be an object")
    refuse_unknown(email.keys() - allowed, "email_address.")
    _text(email, "address", 80)
    if not is_email(email.get("address")):
        raise invalid("email_address.address is required and must be an email address")
    if email.get("permission_to_send") not in (None, *PERMISSIONS):
        raise invalid("email_address.permission_to_send is invalid")
    _text(email, "opt_out_reason", 255, unit)


def _text(body: dict[str, Any], name: str, length: int, unit: str = "character") -> None:
    value = body.get(name)
    if value is None:
        return
    if not isinstance(value, str):
        raise invalid(f"{name} must be a string")
    encoding = UNITS[unit]
    if len(value.encode(encoding)) > length * len("x".encode(encoding)):
        raise invalid(f"{name} is longer than {length} {unit}s")


def _birthday(body: dict[str, Any]) -> None:
    month, day = body.get("birthday_month"), body.get("birthday_day")
    if (month is None) != (day is None):
        raise invalid("birthday_month and birthday_day come together")
    for name, value, most in (("birthday_month", month, 12), ("birthday_day", day, 31)):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise invalid(f"{name} must be from 1 to {most}")


def _items(body: dict[str, Any], name: str, most: int) -> None:
    value = body.get(name)
    if value is None:
        return
    kind = str if name == "taggings" else dict
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise invalid(f"{name} must be an array")
    if len(value) > most:
        raise invalid(f"{name}: at most {most}")
