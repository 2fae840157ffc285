"""List memberships: what the CRM asks for, carried to the vendor."""
