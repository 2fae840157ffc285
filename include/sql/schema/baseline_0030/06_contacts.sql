-- The contacts of both sides, and the links between them.

CREATE TABLE ctct_contact (
    contact_id text PRIMARY KEY,
    email_address text,
    email_key text GENERATED ALWAYS AS (ctct_email_key(email_address)) STORED,
    permission_to_send text,
    opt_out_source text,
    opt_out_date timestamptz,
    opt_out_reason text,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    mirrored_at timestamptz NOT NULL,
    list_ids text[],
    opt_in_source text,
    opt_in_date timestamptz
);

COMMENT ON TABLE ctct_contact IS
'The account''s contacts, as the vendor has them: nothing of a person but the address.';
COMMENT ON COLUMN ctct_contact.contact_id IS
'The vendor''s id; the CRM''s is another.';
COMMENT ON COLUMN ctct_contact.email_key IS
'ctct_email_key(email_address): what spellings of one address have in common.';
COMMENT ON COLUMN ctct_contact.permission_to_send IS
'The vendor''s word: implicit, explicit, unsubscribed, pending_confirmation and others.';
COMMENT ON COLUMN ctct_contact.opt_out_source IS
'Contact: the person asked, and only the person can undo it. Account: the account did it.';
COMMENT ON COLUMN ctct_contact.deleted_at IS
'Set: deleted at the vendor, or not known there any more (then without an address).';
COMMENT ON COLUMN ctct_contact.mirrored_at IS
'As of when the row is: an older answer never replaces it.';
COMMENT ON COLUMN ctct_contact.list_ids IS
'→ ctct_list.list_id. The lists it is on; null: not read yet.';
COMMENT ON COLUMN ctct_contact.opt_in_source IS
'Contact: the person opted in. Account: the account said so.';

-- Objections to contacts that are gone: whether they came back under another id.
CREATE INDEX ctct_contact_deleted ON ctct_contact (contact_id) WHERE deleted_at IS NOT NULL;

-- What routing asks: whether an address belongs to a deleted contact.
CREATE INDEX ctct_contact_deleted_email ON ctct_contact (email_key) WHERE deleted_at IS NOT NULL;
CREATE INDEX ctct_contact_digest ON ctct_contact USING hash (ctct_email_digest(email_key));

-- Linking goes from the CRM's address to the living contact that has it.
CREATE INDEX ctct_contact_email ON ctct_contact (email_key) WHERE deleted_at IS NULL;

-- The vendor's opt-outs, to be compared with the register: few beside all contacts.
CREATE INDEX ctct_contact_unsubscribed ON ctct_contact (contact_id)
WHERE permission_to_send = 'unsubscribed' AND deleted_at IS NULL;

CREATE TABLE ctct_link (
    contact_id text PRIMARY KEY,
    constant_contact_id text,
    email_address text,
    email_key text GENERATED ALWAYS AS (
        CASE WHEN octet_length(email_address) <= 1000 THEN ctct_email_key(email_address) END
    ) STORED,
    first_name text,
    last_name text,
    do_not_email boolean,
    requested_by_contact boolean,
    opt_out_reason text,
    merged_into text,
    written_id text,
    projected_id text,
    absence_hold_id bigint,
    link_hold_id bigint,
    linked_at timestamptz,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_digest text
) WITH (fillfactor = 80);

COMMENT ON TABLE ctct_link IS
'What was last seen of each contact of the CRM, and the Constant Contact contact it is linked to.';
COMMENT ON COLUMN ctct_link.contact_id IS
'The CRM''s id.';
COMMENT ON COLUMN ctct_link.constant_contact_id IS
'→ ctct_contact.contact_id. The link; null: none.';
COMMENT ON COLUMN ctct_link.email_key IS
'The address as it is compared.';
COMMENT ON COLUMN ctct_link.do_not_email IS
'The flag as it was last seen; null: the CRM says nothing.';
COMMENT ON COLUMN ctct_link.requested_by_contact IS
'Whether the CRM says that the contact asked for it.';
COMMENT ON COLUMN ctct_link.merged_into IS
'→ ctct_link.contact_id. The contact that this one was merged into.';
COMMENT ON COLUMN ctct_link.written_id IS
'The Constant Contact id that the CRM''s own column has.';
COMMENT ON COLUMN ctct_link.projected_id IS
'→ ctct_contact.contact_id. Whose events its interactions were made of.';
COMMENT ON COLUMN ctct_link.absence_hold_id IS
'→ ctct_hold.hold_id. Absent from the CRM with too many others: a person decides.';
COMMENT ON COLUMN ctct_link.link_hold_id IS
'→ ctct_hold.hold_id. About to lose its link with too many others: a person decides.';
COMMENT ON COLUMN ctct_link.seen_at IS
'When it last looked different from before.';
COMMENT ON COLUMN ctct_link.erased_digest IS
'The address is an erased person''s: this digest of it, and nothing else of the person, is kept.';

CREATE INDEX ctct_link_absence_hold ON ctct_link (absence_hold_id)
WHERE absence_hold_id IS NOT NULL;
CREATE INDEX ctct_link_contact ON ctct_link (constant_contact_id)
WHERE constant_contact_id IS NOT NULL;
CREATE INDEX ctct_link_email ON ctct_link (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX ctct_link_flagged ON ctct_link (contact_id) WHERE do_not_email;
CREATE INDEX ctct_link_link_hold ON ctct_link (link_hold_id) WHERE link_hold_id IS NOT NULL;

-- Contacts that were merged into another one, among all: each comparison asks for them.
CREATE INDEX ctct_link_merged ON ctct_link (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX ctct_link_projected ON ctct_link (projected_id) WHERE projected_id IS NOT NULL;

CREATE TABLE ctct_left_contact (
    contact_id text PRIMARY KEY,
    constant_contact_id text,
    projected_id text,
    left_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE ctct_left_contact IS
'Contacts that left the CRM, and the links they had.';
COMMENT ON COLUMN ctct_left_contact.constant_contact_id IS
'→ ctct_contact.contact_id. The link that it had.';
COMMENT ON COLUMN ctct_left_contact.projected_id IS
'Its interactions are still there; null: they are gone.';

CREATE INDEX ctct_left_contact_projected ON ctct_left_contact (projected_id)
WHERE projected_id IS NOT NULL;
