"""The envelope and its chains: header bytes, hashes, signatures, forks, frontier. No SQL, no rules, no plaintext."""
