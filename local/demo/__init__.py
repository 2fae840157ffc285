"""`make demo`: two nights and a repetition, end to end, held against what the vendor knows.

`people`, `campaigns` and `engagement` make up a CRM and an account; `edits` is what happens
between the nights; `nights` runs the DAGs; `expected` says what must have come of it and
`checks` compares.
"""
