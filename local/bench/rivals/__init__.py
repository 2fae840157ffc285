"""Other ways to do the same, each run by `local.bench.child`.

Their tables have the columns, keys and indexes of `ctct_contact` and of `ctct_engagement`.
"""

from typing import Final

from local.paths import LOCAL

#: the interpreter that has the vendor's SDK, of `make judge`
SDK_PYTHON: Final = LOCAL / "judge" / "bin" / "python"

CONTACTS: Final = """
CREATE TABLE bench_contact (
    contact_id text PRIMARY KEY,
    email_address text,
    permission_to_send text,
    opt_out_source text,
    opt_out_date timestamptz,
    opt_out_reason text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    list_ids text[]
);
CREATE INDEX bench_contact_email ON bench_contact (email_address);
"""
COPY_CONTACTS: Final = "COPY bench_contact FROM STDIN"

EVENTS: Final = """
CREATE TABLE bench_event (
    stream_id integer NOT NULL,
    ordinal integer NOT NULL,
    occurred_at timestamptz NOT NULL,
    contact_id text NOT NULL,
    url_id text NOT NULL,
    link_url text,
    device_type text,
    bounce_code text,
    opt_out_reason text
);
CREATE UNIQUE INDEX bench_event_identity
ON bench_event (contact_id, stream_id, occurred_at, url_id, ordinal);
"""
COPY_EVENTS: Final = "COPY bench_event FROM STDIN"
