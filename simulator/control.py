"""The control API, client side: what tests, the demo and the bench steer the simulator with."""

from collections.abc import Iterator
from typing import Any

import requests

JSON = dict[str, Any]


class ControlError(Exception):
    """The simulator refused; the message says why."""


class Control:
    """One method per action of the control API; see the README for what each takes."""

    def __init__(self, base_url: str, timeout_s: float = 300) -> None:
        self._url = base_url.rstrip("/") + "/_control/"
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _get(self, action: str, **params: Any) -> JSON:
        given = {name: value for name, value in params.items() if value is not None}
        return _answer(self._session.get(self._url + action, params=given, timeout=self._timeout_s))

    def _post(self, action: str, /, **body: Any) -> JSON:
        return _answer(self._session.post(self._url + action, json=body, timeout=self._timeout_s))

    def reset(self) -> None:
        """Back to the start, data and settings; the log of calls is emptied."""
        self._post("reset")

    def generate(self, **plan: Any) -> JSON:
        """A made-up account; the arguments are the fields of `simulator.generate.Plan`."""
        return self._post("generate", **plan)

    def load(self, **records: list[JSON]) -> JSON:
        """Add `lists`, `contacts`, `campaigns`, `events`; returns the ids in that order."""
        return self._post("load", **records)

    def clock(self, **changes: Any) -> JSON:
        """`now`, `frozen`, `advance_s`; without them, only tells the time."""
        return self._post("clock", **changes) if changes else self._get("clock")

    def limits(self, **changes: Any) -> JSON:
        """Set limits; returns all of them."""
        return self._post("limits", **changes)

    def settings(self, **changes: Any) -> JSON:
        """Set settings; returns all of them."""
        return self._post("settings", **changes)

    def grant(self, scopes: list[str] | None = None, refresh_token: str | None = None) -> str:
        """A refresh token, as though a user had authorized; earlier ones stay good."""
        body = self._post("grant", scopes=scopes, refresh_token=refresh_token)
        return str(body["refresh_token"])

    def revoke(self) -> None:
        """The user takes the authorization back: all tokens end."""
        self._post("revoke")

    def deactivate(self, deactivated: bool = True) -> None:
        """Deactivate the application, or activate it again."""
        self._post("deactivate", deactivated=deactivated)

    def new_secret(self, secret: str | None = None) -> str:
        """Replace the client secret; returns the new one."""
        return str(self._post("new_secret", secret=secret)["client_secret"])

    def expire_access_tokens(self) -> int:
        """All access tokens expire now; returns how many."""
        return int(self._post("expire_access_tokens")["expired"])

    def unsubscribe(self, contact_id: str, **details: Any) -> None:
        """`source` (Contact), `reason`, `campaign_activity_id`, `when`."""
        self._post("unsubscribe", contact_id=contact_id, **details)

    def resubscribe(self, contact_id: str) -> None:
        """The contact opts in again, as by the confirmation mail."""
        self._post("resubscribe", contact_id=contact_id)

    def delete_contact(self, contact_id: str) -> None:
        """The owner deletes the contact."""
        self._post("delete_contact", contact_id=contact_id)

    def restore_contact(self, contact_id: str) -> None:
        """The owner brings a deleted contact back."""
        self._post("restore_contact", contact_id=contact_id)

    def purge_contact(self, contact_id: str) -> None:
        """The contact is gone for good."""
        self._post("purge_contact", contact_id=contact_id)

    def update_contact(self, contact_id: str, **changes: Any) -> None:
        """The owner edits the contact: `email`, names, `list_memberships` and so on."""
        self._post("update_contact", contact_id=contact_id, **changes)

    def delete_list(self, list_id: str) -> None:
        """The owner deletes the list."""
        self._post("delete_list", list_id=list_id)

    def rename_campaign(self, campaign_id: str, name: str) -> None:
        """The owner gives the campaign another name."""
        self._post("rename_campaign", campaign_id=campaign_id, name=name)

    def add_events(self, events: list[JSON], arrived_at: str | None = None) -> int:
        """Add rows of trackers, each at its place in time; returns how many."""
        return int(self._post("add_events", events=events, arrived_at=arrived_at)["added"])

    def send_campaign(self, **wanted: Any) -> JSON:
        """Returns campaign_id, campaign_activity_id and the number of sends."""
        return self._post("send_campaign", **wanted)

    def finish_bulk(self) -> list[str]:
        """Finish all bulk activities now; returns their ids."""
        return list(self._post("finish_bulk")["finished"])

    def add_fault(
        self,
        kind: str,
        *,
        match: JSON | None = None,
        times: int = 1,
        after: int = 0,
        params: JSON | None = None,
    ) -> JSON:
        """Ask for a fault; see the README for kinds and params."""
        return self._post(
            "add_fault", kind=kind, match=match, times=times, after=after, params=params
        )

    def clear_faults(self) -> None:
        """Forget all faults."""
        self._post("clear_faults")

    def mutate(self, point: str, differs: str) -> JSON:
        """Let the vendor differ in one point until `reset`."""
        return self._post("mutate", point=point, differs=differs)

    def mutations(self) -> list[JSON]:
        """All mutations: `point` and `differs` of each."""
        return list(self._get("mutations")["mutations"])

    def faults(self) -> list[JSON]:
        """All faults, with how often each matched and fired."""
        return list(self._get("faults")["faults"])

    def calls(self, since: int = 0) -> list[JSON]:
        """Calls with a number above `since`."""
        return list(self._get("calls", since=since)["calls"])

    def calls_summary(self) -> JSON:
        """Counts of calls, the busiest second, the throttled ones."""
        return self._get("calls_summary")

    def clear_calls(self) -> None:
        """Empty the log of calls."""
        self._post("clear_calls")

    def truth(self) -> JSON:
        """What is true, in counts, and what must not have happened."""
        return self._get("truth")

    def truth_contact(self, contact_id: str) -> JSON:
        """One contact, deleted or not."""
        return self._get("truth_contact", contact_id=contact_id)

    def truth_contacts(self, page: int = 10_000) -> Iterator[JSON]:
        """All contacts in order of creation, deleted ones too."""
        yield from self._pages("truth_contacts", "contacts", page)

    def truth_events(
        self,
        campaign_activity_id: str | None = None,
        type: str | None = None,  # noqa: A002 - the word of the API
        page: int = 10_000,
    ) -> Iterator[JSON]:
        """All events of reported activities, oldest first within a stream."""
        yield from self._pages(
            "truth_events", "events", page, campaign_activity_id=campaign_activity_id, type=type
        )

    def _pages(self, action: str, name: str, page: int, **params: Any) -> Iterator[JSON]:
        offset, total = 0, 1
        while offset < total:
            body = self._get(action, offset=offset, limit=page, **params)
            total = body["total"]
            yield from body[name]
            offset += page


def _answer(response: requests.Response) -> JSON:
    if response.status_code != 200:
        raise ControlError(f"{response.request.method} {response.url}: {response.text}")
    body: JSON = response.json()
    return body
