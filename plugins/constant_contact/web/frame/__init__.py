"""What every page has: who may see it, whose it is, how it looks, what it says when it fails."""
