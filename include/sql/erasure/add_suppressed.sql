-- Addresses that nobody is created with again. Parameters: email_digests. Grain: one row a digest.
INSERT INTO ctct_suppressed (email_digest)
SELECT unnest(%(email_digests)s::text[])
ON CONFLICT (email_digest) DO NOTHING;
