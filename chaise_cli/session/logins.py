"""A name and a password at a server of others."""

from __future__ import annotations

from chaise_cli.domain.light import NamedTuple


class Login(NamedTuple):
    """How a server lets one in."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Without the password, which has no place in a traceback."""
        return f"Login({self.user!r})"
