-- Statistics may be some events ahead of the reports, by another number each night.
ALTER TABLE ctct_engagement_stream
ADD COLUMN reread_shortfall integer NOT NULL DEFAULT 0,
ADD COLUMN reread_since timestamptz,
ADD COLUMN reread_at timestamptz;
COMMENT ON COLUMN ctct_engagement_stream.reread_shortfall IS
'The shortfall that it was last read whole for, and that stayed.';
COMMENT ON COLUMN ctct_engagement_stream.reread_since IS
'Since when reading it whole for a shortfall brings nothing; null: it brought something.';
COMMENT ON COLUMN ctct_engagement_stream.reread_at IS
'When that was last so; for another shortfall it is done when as long has passed again.';

UPDATE ctct_engagement_stream SET reread_shortfall = shortfall
WHERE shortfall > 0;
