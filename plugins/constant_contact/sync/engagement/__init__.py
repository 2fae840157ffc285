"""Engagement: what contacts did with campaigns, and what the CRM shows of it."""
