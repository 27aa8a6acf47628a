"""How many examples of a property a full check plays where one costs a good part of a second."""

from __future__ import annotations

from hypothesis import settings


def soaking() -> bool:
    """Whether this is a soak, which plays as many examples as its profile says."""
    return settings.get_current_profile_name() == "soak"


def costly(examples: int) -> settings:
    """Settings under which a full check plays that many examples, besides those written out."""
    return settings() if soaking() else settings(max_examples=examples)
