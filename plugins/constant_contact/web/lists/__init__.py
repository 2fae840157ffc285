"""Lists: members on both sides, what is requested, and which requests are refused."""
