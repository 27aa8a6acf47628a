"""One way of carrying messages or packs to another replica per module."""
