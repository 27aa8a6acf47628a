"""Replication of sealed events between replicas; it can read no body, and the import contracts prove it."""
