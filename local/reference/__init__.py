"""docs/reference and deploy/dbt, written from what they are about: DAGs, settings, tables, errors.

One module a page. Each gives its text from the real objects; nothing of it is kept by hand.
"""
