-- What the changes of this transaction say of themselves. Parameters: reason, by. Grain: one row.
SELECT
    set_config('constant_contact.reason', %(reason)s, TRUE),
    set_config('constant_contact.changed_by', %(by)s, TRUE);
