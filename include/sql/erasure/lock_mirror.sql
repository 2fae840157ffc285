-- Let no page of contacts be written meanwhile that was read before. Grain: no row.
LOCK TABLE ctct_contact IN SHARE ROW EXCLUSIVE MODE;
