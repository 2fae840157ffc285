"""What is there after a night: in the CRM's database, at the vendor, and in the logs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import pandas as pd

from constant_contact.api.vendor import TRACKERS
from local.demo.crm import Connection, frame
from local.demo.people import JSON
from simulator.control import Control

# Words of the vendor's trackers, and the CRM's for the same.
TYPES = {tracker.row_type: tracker.activity_type for tracker in TRACKERS}
EVENT = (
    "campaign_activity_id", "activity_type", "constant_contact_id", "occurred_at", "link_url",
    "device_type", "bounce_code", "opt_out_reason",
)  # fmt: skip


@dataclass
class Vendor:
    """What the simulator knows to be true."""

    summary: JSON
    contacts: list[JSON]
    events: pd.DataFrame

    @classmethod
    def asked(cls, control: Control) -> "Vendor":
        """Ask the simulator; no call of the API."""
        return cls(control.truth(), list(control.truth_contacts()), _events(control))


@dataclass
class Crm:
    """The tables of the CRM's database that the checks compare, as frames."""

    contacts: pd.DataFrame
    interactions: pd.DataFrame
    outbox: pd.DataFrame
    memberships: pd.DataFrame
    lists: pd.DataFrame
    mirror: pd.DataFrame
    ledger: pd.DataFrame
    calls: pd.DataFrame
    findings: pd.DataFrame

    @classmethod
    def read(cls, connection: Connection) -> "Crm":
        """Read them."""
        found = {name: frame(connection, select) for name, select in _SELECTS.items()}
        for name in ("interactions", "ledger"):
            _make_instants(found[name])
        return cls(**found)


_SELECTS: dict[str, LiteralString] = {
    "contacts": "SELECT contact_id, first_name, last_name, preferred_email, do_not_email,"
    " constant_contact_id FROM crm_contact ORDER BY contact_id",
    "interactions": "SELECT contact_id, campaign_id, campaign_name, campaign_activity_id,"
    " activity_type, constant_contact_id, occurred_at, link_url, device_type, bounce_code,"
    " opt_out_reason, description FROM crm_interaction",
    "outbox": "SELECT * FROM crm_opt_out_change ORDER BY change_id",
    "memberships": "SELECT contact_id, list_id, status, detail FROM crm_list_membership",
    "lists": "SELECT list_id, name, membership_count FROM crm_list",
    "mirror": "SELECT contact_id, email_address, permission_to_send, opt_out_source,"
    " deleted_at IS NOT NULL AS deleted FROM ctct_contact",
    "ledger": "SELECT stream.campaign_activity_id, stream.activity_type,"
    " event.contact_id AS constant_contact_id, event.occurred_at, event.link_url,"
    " event.device_type, event.bounce_code, event.opt_out_reason"
    " FROM ctct_engagement AS event INNER JOIN ctct_engagement_stream AS stream USING (stream_id)",
    "calls": "SELECT * FROM ctct_api_call ORDER BY call_id",
    "findings": "SELECT noun, subject_id, kind FROM ctct_finding",
}


def counts(connection: Connection) -> dict[str, int]:
    """How many rows there are of all that could be doubled."""
    found = frame(
        connection,
        'SELECT (SELECT count(*) FROM crm_contact) AS "CRM contacts",'
        " (SELECT count(constant_contact_id) FROM crm_contact) AS links,"
        " (SELECT count(*) FROM crm_interaction) AS interactions,"
        ' (SELECT count(*) FROM crm_opt_out_change) AS "opt-out changes",'
        ' (SELECT count(*) FROM crm_list_membership) AS "requests for lists",'
        ' (SELECT count(*) FROM ctct_list) AS "mirrored lists",'
        ' (SELECT count(*) FROM ctct_contact) AS "mirrored contacts",'
        ' (SELECT count(*) FROM ctct_campaign) AS "mirrored campaigns",'
        ' (SELECT count(*) FROM ctct_engagement) AS "events in the ledger"',
    )
    (row,) = found.to_dict("records")
    return {str(name): int(value) for name, value in row.items()}


def calls_today(connection: Connection) -> int:
    """How many calls the budget has given out in this UTC day."""
    found = frame(
        connection,
        "SELECT calls FROM ctct_api_budget WHERE day_utc = (now() AT TIME ZONE 'UTC')::date",
    )
    return int(found["calls"].sum())


def newest_call(connection: Connection) -> int:
    """The number of the last call in the log."""
    found = frame(connection, "SELECT coalesce(max(call_id), 0) AS call_id FROM ctct_api_call")
    return int(found["call_id"].iloc[0])


def log_text(file: Path) -> str:
    """The complete log of the runs."""
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _events(control: Control) -> pd.DataFrame:
    rows: list[dict[str, Any]] = list(control.truth_events())
    found = pd.DataFrame(rows, dtype=object).rename(
        columns={
            "tracking_activity_type": "activity_type",
            "contact_id": "constant_contact_id",
            "created_time": "occurred_at",
        }
    )
    found["activity_type"] = found["activity_type"].map(TYPES)
    found = found.reindex(columns=list(EVENT))
    _make_instants(found)
    return found


def _make_instants(found: pd.DataFrame) -> None:
    """Times as milliseconds: the vendor's and PostgreSQL's texts differ."""
    found["occurred_at"] = pd.to_datetime(found["occurred_at"], utc=True).map(
        lambda moment: round(moment.timestamp() * 1000)
    )
