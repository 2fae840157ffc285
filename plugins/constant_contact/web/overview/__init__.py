"""The overview: what needs a person, the syncs, the day's calls, engagement."""
