"""Rows of the API, odd ones too, as records."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from constant_contact.api.records import (
    id_array,
    identifier,
    moment,
    number,
    parse_campaign,
    parse_contact,
    parse_events,
    parse_list,
    parse_rows,
    parse_summary,
    text,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2016-01-23T13:48:44.108Z", datetime(2016, 1, 23, 13, 48, 44, 108000, UTC)),
        (
            "2016-03-03T10:53:04-05:00",
            datetime(2016, 3, 3, 10, 53, 4, tzinfo=timezone(timedelta(hours=-5))),
        ),
        ("2016-01-23T13:48:44", datetime(2016, 1, 23, 13, 48, 44, tzinfo=UTC)),
        ("2016-01-23t13:48:44.108z", datetime(2016, 1, 23, 13, 48, 44, 108000, UTC)),
        (" 2016-01-23T13:48:44Z ", datetime(2016, 1, 23, 13, 48, 44, tzinfo=UTC)),
        ("2016-07-08", datetime(2016, 7, 8, tzinfo=UTC)),
        ("2016-07-08 at noon", datetime(2016, 7, 8, tzinfo=UTC)),
        ("", None),
        (None, None),
        (1467936000, None),
        ("yesterday", None),
        ("2016-13-45T99:00:00Z", None),
    ],
)
def test_times_are_aware_and_nonsense_is_none(given: Any, expected: datetime | None) -> None:
    assert moment(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (5, 5),
        ("7", 7),
        (3.9, 3),
        (None, None),
        (True, None),
        ("x", None),
        (2**40, None),
        ([], None),
    ],
)
def test_counts_are_integers_that_fit_or_none(given: Any, expected: int | None) -> None:
    assert number(given) == expected


def test_a_number_in_place_of_a_text_becomes_one() -> None:
    assert text("") is None
    assert text(1100407204171) == "1100407204171"


def test_an_id_in_capitals_is_the_same_id() -> None:
    small, capitals = "ab00cd12-cdef-4abc-8def-0000000000ef", "AB00CD12-CDEF-4ABC-8DEF-0000000000EF"
    contact = parse_contact({"contact_id": capitals, "list_memberships": [capitals, small]})
    assert contact is not None
    assert (contact.contact_id, contact.list_ids) == (small, f'{{"{small}"}}')
    found = parse_list({"list_id": capitals})
    assert found is not None
    assert found.list_id == small
    click = {"created_time": "2026-01-01T00:00:00Z", "url_id": "1"}
    events, _ = parse_events([{**click, "contact_id": each} for each in (capitals, small)])
    assert [(event.contact_id, event.ordinal) for event in events] == [(small, 1), (small, 2)]
    # What is no UUID may mean something else in capitals.
    assert identifier("List-A") == "List-A"


def test_a_contact_without_an_email_address_is_read() -> None:
    record = parse_contact({"contact_id": "c", "email_address": None})
    assert record is not None
    assert record.email_address is None


def test_unknown_values_and_fields_are_kept_or_ignored() -> None:
    record = parse_contact(
        {
            "contact_id": "c",
            "email_address": {"address": "a@b.c", "permission_to_send": "new"},
            "x": 1,
        }
    )
    assert record is not None
    assert record.permission_to_send == "new"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["b", "a", "b"], '{"a","b"}'),
        ([], "{}"),
        (["x,y", 'q"', "\\", 5, None], '{"\\\\","q\\"","x,y"}'),
        (None, None),
        ("a", None),
    ],
)
def test_ids_become_an_array_as_postgresql_writes_it(given: Any, expected: str | None) -> None:
    assert id_array(given) == expected


@pytest.mark.parametrize("parse", [parse_contact, parse_list, parse_campaign, parse_summary])
def test_a_row_without_its_id_is_counted_not_read(parse: Any) -> None:
    assert parse_rows([{}, None, "text", {"name": "no id"}], parse) == ([], 4)


def event(**fields: Any) -> dict[str, Any]:
    return {"contact_id": "c", "created_time": "2026-01-01T00:00:00Z"} | fields


def test_identical_events_of_a_page_are_told_apart_by_their_ordinal() -> None:
    events, malformed = parse_events(
        [event(), event(), event(url_id="1"), event(contact_id="d"), event()]
    )
    assert malformed == 0
    assert [e.ordinal for e in events] == [1, 2, 1, 1, 3]


def test_events_without_contact_or_time_are_counted() -> None:
    events, malformed = parse_events(
        [event(contact_id=None), event(created_time="?"), "text", None, event()]
    )
    assert (len(events), malformed) == (1, 4)
