"""The jobs, one noun a module: from the API into the mirror, from the mirror to the CRM."""
