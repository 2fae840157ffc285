"""The page Why? as a reader sees it."""

import re
from urllib.parse import urlencode

from tests.airflow.site import Site
from tests.support import contact_id

WHY = "/constant-contact/why"


ANN = contact_id(1)


def words(text: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", text.split("<main")[1]).split())


def answer_of(site: Site, **fields: str) -> str:
    answer = site.get(f"{WHY}?{urlencode(fields)}")
    assert answer.status == 200, answer.text
    return words(answer.text)
