"""Contacts: why one is on a list or is not, opt-outs, memberships, what a person decides."""
