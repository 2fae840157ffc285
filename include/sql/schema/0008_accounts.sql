-- Several accounts: each has all of these tables to itself, in a schema or a database of its own.

-- Whose tables these are: one row, made by the first account that uses them. Another account that
-- sees them by mistake is refused.
CREATE TABLE ctct_account (
    is_the_only_one boolean PRIMARY KEY DEFAULT TRUE CHECK (is_the_only_one),
    constant_contact_conn_id text NOT NULL
);

INSERT INTO ctct_account (constant_contact_conn_id)
SELECT conn_id
FROM ctct_token
ORDER BY refreshed_at DESC NULLS LAST
LIMIT 1;

-- Advisory locks are the whole database's: this, added to a lock's number, makes it an account's
-- own. 0 in public, where an only account is.
CREATE FUNCTION ctct_account_key() RETURNS integer
LANGUAGE sql STABLE
RETURN coalesce(hashtext(nullif(current_schema(), 'public')) % 1000000000, 0);

-- A session that looks at another account's schema must not put this one's opt-outs there.
ALTER FUNCTION crm_contact_opt_out() SET search_path FROM CURRENT;
