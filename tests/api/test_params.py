"""What a template or a person gave as a parameter."""

import pytest

from constant_contact.errors import SettingError
from constant_contact.params import row_number


def test_the_number_of_a_row_is_read_as_a_template_or_a_person_writes_it() -> None:
    assert [row_number("hold_id", given, "ctct_hold") for given in (7, "7", " 7 ")] == [7, 7, 7]


@pytest.mark.parametrize(
    ("given", "problem"),
    [(None, "is empty"), ("None", "is empty"), ("", "is empty"), ("x", "'x' is no"), ("²", "'²'")],
)
def test_what_is_no_number_of_a_row_is_named_with_the_table_that_has_them(
    given: object, problem: str
) -> None:
    with pytest.raises(SettingError, match=f"param hold_id: {problem}.*; give one of ctct_hold"):
        row_number("hold_id", given, "ctct_hold")
