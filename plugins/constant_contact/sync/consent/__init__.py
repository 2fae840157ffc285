"""Consent: who said no, and that the vendor knows it."""
