"""One person's home at work: loads state, seals, signs and commits what a decision returns, admits foreign events."""
