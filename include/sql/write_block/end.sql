-- Take note that an opt-out has passed. Grain: one row, or none.
DELETE FROM ctct_write_block;
