"""The options of the `[constant_contact]` section of Airflow's configuration, as data.

Credentials and everything about the account are in the connection; here is how the jobs behave.
Airflow shows these in `airflow config list`; each is also AIRFLOW__CONSTANT_CONTACT__<OPTION>.
"""

from typing import Any, Final

from constant_contact.api import vendor

SECTION: Final = "constant_contact"

OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "accounts": {
        "description": "Further accounts, by name, separated by commas. Each has its own DAGs "
        "(constant_contact_NAME_lists) and two connections, constant_contact_NAME and crm_NAME; "
        "see docs/accounts.md.",
        "type": "string",
        "default": "",
        "example": "eu, us",
    },
    "crm_folder": {
        "description": "Folder of the SQL files that read and write the CRM's own tables "
        "(docs/your-crm.md), with your selections in its folder selections. Default: "
        "include/sql/crm, which is also in the installed package.",
        "type": "string",
        "default": "",
        "example": "/opt/airflow/crm",
    },
    "contacts_conn_id": {
        "description": "Connection that contacts.sql is read through, such as one to a replica, if "
        "the CRM's contacts are not in the database of crm_default.",
        "type": "string",
        "default": "",
        "example": "crm_replica",
    },
    "timezone": {
        "description": "Time zone of the nightly schedules (00:30, 01:00, 02:00).",
        "type": "string",
        "default": "UTC",
        "example": "Australia/Sydney",
    },
    "on_failure_callback": {
        "description": "Dotted path of a callable that each DAG calls when a run has failed.",
        "type": "string",
        "default": "",
        "example": "my_company.alerts.page_the_data_team",
    },
    "on_hold_callback": {
        "description": "Dotted path of a callable, or of an Airflow notifier, that is called when "
        "a person is asked about what the circuit breaker holds, and each day again while "
        "contacts' own wishes wait. Its argument context has the question's subject and body "
        "beside what Airflow gives.",
        "type": "string",
        "default": "",
        "example": "my_company.alerts.ask_the_crm_team",
    },
    "deadline_minutes": {
        "description": "How long after its start a nightly run may still be under way before it is "
        "reported as late, in the triggerer's log and by on_deadline_callback; 0: never. Backfills "
        "and runs by hand are not.",
        "type": "integer",
        "default": "0",
        "example": "240",
    },
    "on_deadline_callback": {
        "description": "Dotted path of an async callable for late runs: its argument "
        "context has dag_run and deadline, as plain values. It runs in the triggerer.",
        "type": "string",
        "default": "",
        "example": "my_company.alerts.page_about_a_late_night",
    },
    "active_days": {
        "description": "For how many days after its last sending a campaign's exact counts are "
        "asked every night. Later when the summary report shows that it moved, else ever more "
        "rarely.",
        "type": "integer",
        "default": "30",
        "example": None,
    },
    "streams_at_once": {
        "description": "How many tracker reports are read side by side; the API budget paces all.",
        "type": "integer",
        "default": "10",
        "example": None,
    },
    "engagement_shards": {
        "description": "Over how many mapped tasks the tracker reports are spread, so that several "
        "workers share a large account. All draw from the same API budget.",
        "type": "integer",
        "default": "1",
        "example": "4",
    },
    "late_events_hours": {
        "description": "How late events may be reported: a report is read down to so far below "
        "what it covers, unless the counts agree before.",
        "type": "float",
        "default": "24",
        "example": None,
    },
    "interaction_types": {
        "description": "What the CRM shows as interactions. A type that is taken out leaves the "
        "CRM with the next run and stays in the ledger; put back, its whole history returns for "
        "no call.",
        "type": "string",
        "default": ", ".join(vendor.TRACKER_BY_TYPE),
        "example": "open, click, opt_out",
    },
    "call_log_days": {
        "description": "For how many days API calls are kept in ctct_api_call.",
        "type": "integer",
        "default": "90",
        "example": None,
    },
    "breaker_contacts": {
        "description": "The circuit breaker holds a run's opt-outs, or removals from lists, if "
        "they concern more contacts than this (or than breaker_share, if that is more).",
        "type": "integer",
        "default": "100",
        "example": None,
    },
    "breaker_share": {
        "description": "The same as a share of the linked contacts.",
        "type": "float",
        "default": "0.05",
        "example": None,
    },
}
