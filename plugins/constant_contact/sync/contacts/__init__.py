"""Contacts: the vendor's, the CRM's, and which is which."""
