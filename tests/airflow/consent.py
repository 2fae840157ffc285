"""A person who authorizes: our pages by the site, the vendor's consent page over HTTP."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import requests

from simulator.server import Running
from tests.airflow.site import Answer, Site

CALLBACK = "/constant-contact/oauth2/callback"
PAGE = "/constant-contact/connection"
REDIRECT_URL = f"http://testserver{CALLBACK}"


class Person:
    """A user with a role in Airflow, at a browser."""

    def __init__(self, site: Site, simulator: Running, role: str = "OP", page: str = PAGE) -> None:
        simulator.control.settings(redirect_uris=[REDIRECT_URL])
        site.another_browser()
        self.site = site
        self.role = role
        self.page = page

    def begin(self, application: str = "current") -> str:
        """Press the button; return where the page leads."""
        answer = self.site.post(f"{self.page}/authorize", self.role, application=application)
        assert answer.status == 200, answer.text
        return link(answer)

    def decide(self, url: str, decision: str = "allow", **changes: str) -> str:
        """Decide on the vendor's page; return the path and query that it leads back to.

        Args:
            url: Of that page.
            decision: "allow" or "deny".
            **changes: Fields of its form that the vendor has otherwise than it was asked for.
        """
        with requests.Session() as browser:
            browser.trust_env = False
            shown = browser.get(url, timeout=60)
            assert shown.status_code == 200, shown.text
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
            fields = {name: unescape(value) for name, value in fields.items()}
            back = browser.post(
                url.split("?", maxsplit=1)[0],
                data=fields | changes | {"decision": decision},
                allow_redirects=False,
                timeout=60,
            )
        assert back.status_code == 302, back.text
        assert back.headers["location"].startswith(REDIRECT_URL)
        return back.headers["location"].removeprefix("http://testserver")

    def come_back(self, path: str) -> Answer:
        """Follow the vendor's redirect."""
        return self.site.get(path, self.role)

    def authorize(self, application: str = "current") -> Answer:
        """All of it."""
        return self.come_back(self.decide(self.begin(application)))


def link(answer: Answer) -> str:
    """The vendor's address on our page."""
    found = re.search(r'href="(http[^"]+/authorize\?[^"]+)"', answer.text)
    assert found, answer.text
    return unescape(found[1])


def query(path: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
