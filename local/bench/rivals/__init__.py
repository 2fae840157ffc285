"""Other ways to do the same, each run by `local.bench.child`, some in environments of their own."""
