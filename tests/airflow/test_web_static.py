"""The files that our pages load: as their makers published them, and no others."""

import hashlib
import re

from local.paths import ROOT

WEB = ROOT / "plugins" / "constant_contact" / "web"
#: of dist/htmx.min.js in the npm package htmx.org 2.0.11, as in docs/decisions/0012-pages.md
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def test_htmx_is_the_published_file() -> None:
    htmx = (WEB / "static" / "htmx.min.js").read_bytes()
    assert hashlib.sha256(htmx).hexdigest() == HTMX_SHA256
    assert HTMX_SHA256 in (ROOT / "docs" / "decisions" / "0012-pages.md").read_text()


def test_no_page_loads_anything_from_elsewhere() -> None:
    for file in [*(WEB / "templates").glob("*.html"), *(WEB / "static").glob("*.css")]:
        loaded = re.findall(r'\bsrc="[^"]*|<link[^>]*|url\([^)]*|@import[^;]*', file.read_text())
        assert [each for each in loaded if "{{ static }}/" not in each] == [], file
