"""A stand-in for the Constant Contact V3 API, spoken over HTTP on loopback.

See ``README.md`` beside this file for what it imitates and what it does not.
"""
