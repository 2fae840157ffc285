"""The adopter's own tables: reading its contacts, writing links and flags back."""
