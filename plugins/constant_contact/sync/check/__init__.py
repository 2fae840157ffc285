"""Checks what the jobs rely on, in the CRM and at the vendor, before the first night."""
