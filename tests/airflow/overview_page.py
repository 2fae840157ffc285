"""The overview, read as a person reads it."""

import html
import re

from tests.airflow.site import Site

OVERVIEW = "/constant-contact/"
EU_OVERVIEW = "/constant-contact/accounts/eu/"


def text_of(shown: str) -> str:
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def section(site: Site, name: str, role: str = "VIEWER", overview: str = OVERVIEW) -> str:
    """One section of the overview, as HTML."""
    answer = site.get(overview, role)
    assert answer.status == 200, answer.text
    body = answer.text[answer.text.index(f'<section aria-labelledby="{name}"') :]
    return body[: body.index("</section>")]


def sync_row(site: Site, noun: str, role: str = "VIEWER", overview: str = OVERVIEW) -> str:
    """The row of one DAG, as HTML."""
    body = section(site, "syncs", role, overview)
    body = body[body.index(f'<tr id="{noun}"') :]
    return body[: body.index("</tr>")]


def table(shown: str) -> list[list[str]]:
    """The cells of each row of a section's last table, its head left out."""
    rows = re.findall(r"<tr>(.*?)</tr>", shown[shown.rindex("<tbody>") :], re.DOTALL)
    return [
        [text_of(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in rows
    ]
