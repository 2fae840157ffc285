-- As of those that were read. Grain: none.
ANALYZE copied_contact;
