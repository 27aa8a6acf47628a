"""Chaise: a freelance-hiring ledger for the shell."""

__version__ = "0.1.0"
