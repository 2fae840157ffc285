"""The vendor's own SDK, in the environment that `make judge` makes.

That environment has no PostgreSQL driver; it lends ours, after the SDK has loaded what it needs.
"""

import sys
from functools import partial
from importlib import import_module
from typing import Any

from constant_contact_api_client import (  # type: ignore[import-not-found, unused-ignore]
    ApiClient,
    Configuration,
)
from constant_contact_api_client.api.contacts_api import (  # type: ignore[import-not-found, unused-ignore]
    ContactsApi,
)

from local.bench.gauge import Gauge
from local.bench.rivals.sdk import pages


def load(
    gauge: Gauge, *, url: str, token: str, crm_url: str, site_packages: str, table: str, copy: str
) -> dict[str, Any]:
    """As the bare loop does, but each page goes through the SDK's models."""
    sys.path.append(site_packages)
    psycopg = import_module("psycopg")
    rows = 0
    client = ApiClient(Configuration(host=f"{url}/v3", access_token=token))
    listing = partial(
        ContactsApi(client).get_all_contacts,
        status="all",
        limit=500,
        include_count=True,
        include="list_memberships",
    )
    with psycopg.connect(crm_url, autocommit=True) as connection, gauge:
        connection.execute(table)
        for page in pages(client, listing):
            with connection.cursor() as cursor, cursor.copy(copy) as copying:
                for contact in page.contacts:
                    copying.write_row(_row(contact))
            rows += len(page.contacts)
    return {"rows": rows}


def _row(contact: Any) -> tuple[Any, ...]:
    email = contact.email_address
    return (
        contact.contact_id,
        email and email.address,
        email and email.permission_to_send,
        email and email.opt_out_source,
        email and email.opt_out_date,
        email and email.opt_out_reason,
        contact.created_at,
        contact.updated_at,
        contact.deleted_at,
        contact.list_memberships,
    )
