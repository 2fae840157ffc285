-- What the changes of this transaction say of themselves. Grain: one row.
SELECT
    set_config(
        'constant_contact.reason',
        'Unsubscribed at Constant Contact before the CRM was restored',
        TRUE
    ),
    set_config('constant_contact.changed_by', 'constant_contact_after_restore', TRUE);
