"""`make demo`: two nights and a repetition, end to end, held against what the vendor knows.

`people`, `campaigns` and `engagement` make up a CRM and an account; `story` is what happens
between the nights; `nights` runs the DAGs; `expected` and `memberships` say what must have come
of it; `checks` and `membership_checks` compare.
"""
