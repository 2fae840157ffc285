"""The jobs, a folder a noun: from the API into the mirror, from the mirror to the CRM."""
