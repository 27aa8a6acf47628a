"""Named wrappers around the ciphers; the only place that imports `cryptography`."""
