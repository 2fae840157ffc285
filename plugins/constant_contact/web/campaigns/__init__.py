"""Campaigns: what each did, by our counts and the vendor's, and which contacts did it."""
