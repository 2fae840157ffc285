-- A hold of contacts' own wishes is told of each day until a person answers.

ALTER TABLE ctct_hold ADD COLUMN reminded_at timestamptz;
COMMENT ON COLUMN ctct_hold.reminded_at IS
'When a person was last reminded of it; null: never.';
