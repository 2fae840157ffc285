"""API calls: found, shown, exported."""
