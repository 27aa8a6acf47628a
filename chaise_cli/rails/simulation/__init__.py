"""A strict rail in a process of its own, for rehearsals and tests: it moves numbers, and breaks down on request."""
