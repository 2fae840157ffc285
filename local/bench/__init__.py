"""How fast, in how much memory, with how many calls: measured, beside others, against targets."""
