-- What routing says; one a connection, empty at commit. `route`: add, remove, import and create are
-- calls; done, rejected and failed are answers; wait is looked at again later. `target`: the
-- vendor's contact of an add or a removal, the address of an import or a creation.
-- Grain: one row a request.
CREATE TEMPORARY TABLE IF NOT EXISTS routed_membership (
    contact_id text,
    list_id text,
    action text,
    requested_at timestamptz,
    target text,
    first_name text,
    last_name text,
    route text,
    detail text
) ON COMMIT DELETE ROWS;
