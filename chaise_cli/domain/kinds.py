"""The table of all kinds of events: where each is defined, in which space it may stand, how it folds."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from chaise_cli.domain.light import NamedTuple


class Kind(NamedTuple):
    """One row: module and class of its body, its space, and its order (guarded, free or author)."""

    module: str
    cls: str
    space: str
    order: str


def _rows(module: str, space: str, order: str, *classes: str) -> dict[str, Kind]:
    return {_kind(cls): Kind(f"chaise_cli.domain.{module}", cls, space, order) for cls in classes}


def _kind(cls: str) -> str:
    """`PostPublished` → `post.published`; the second word on is joined by underscores."""
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in cls).split()
    return words[0] if len(words) == 1 else f"{words[0]}.{'_'.join(words[1:])}"


KINDS: Final[dict[str, Kind]] = {
    **_rows("own", "self", "author", "SelfSettings", "SelfBoxKey", "SelfDevice", "SelfReviewKey"),
    **_rows("own", "self", "author", "SelfDeviceBox", "SelfDeviceNamed", "SelfRootBox", "SelfBoard", "SelfPlace"),
    **_rows("own", "self", "author", "SelfDeviceRenewed"),
    **_rows("availability", "self", "author", "SelfAvailability"),
    **_rows("revocation", "self", "author", "SelfDeviceRevoked"),
    **_rows("revocation", "board", "author", "BoardDeviceRevoked"),
    **_rows("revocation", "deal", "guarded", "DealDeviceRevoked"),
    **_rows("directory", "board", "author", "BoardNamed", "ProfilePublished"),
    **_rows("directory", "board", "author", "ServicePublished", "ServiceRevised", "ServiceClosed"),
    **_rows("directory", "board", "author", "PostPublished", "PostRevised", "PostClosed"),
    **_rows("review", "board", "author", "ReviewPublished"),
    **_rows("order", "deal", "guarded", "AgentDevice", "AgentSettled", "Taken"),
    **_rows("consent", "deal", "guarded", "AgentRefused"),
    **_rows("talk", "deal", "free", "MessageSent", "WorkUpdate", "ContactShared"),
    **_rows("availability", "deal", "free", "SlotsShared"),
    **_rows("deal", "deal", "guarded", "DealOpened", "DealInvited", "DealProposed", "DealShortlisted"),
    **_rows("deal", "deal", "guarded", "DealDeclined", "DealWithdrawn", "TermsOffered", "TermsAccepted"),
    **_rows("work", "deal", "guarded", "WorkDelivered", "WorkChangesRequested"),
    **_rows("escrow", "deal", "guarded", "FundRequested", "ReleaseAuthorized", "RefundAuthorized"),
    **_rows(
        "cancellation", "deal", "guarded", "CancelRequested", "CancelAccepted", "CancelDeclined", "CancelWithdrawn"
    ),
    **_rows(
        "movements",
        "deal",
        "guarded",
        "MoneyHeld",
        "MoneyRefused",
        "MoneyReleased",
        "MoneyRefunded",
        "MoneyPaidOut",
        "MoneyReversed",
    ),
    **_rows("runs", "deal", "guarded", "RunRecorded", "DealSigningKey"),
    **_rows("grant", "deal", "guarded", "GrantCreated", "GrantRevoked", "GrantApproved"),
    **_rows("booking", "deal", "guarded", "BookingOffered", "BookingAccepted", "BookingDeclined", "BookingWithdrawn"),
    **_rows("booking", "deal", "guarded", "BookingSeriesOffered", "BookingSkipped"),
    **_rows("booking", "deal", "guarded", "BookingCancelled", "BookingMet", "BookingMissed", "BookingLost"),
    **_rows("review", "deal", "guarded", "ReviewSealed", "ReviewOpened", "ReviewVoucher"),
}

GUARDED: Final = frozenset(name for name, kind in KINDS.items() if kind.order == "guarded")


@cache
def body_class(kind: str) -> type[Any]:
    """The body class of a known kind; its module is imported on first use."""
    row = KINDS[kind]
    cls: type[Any] = getattr(import_module(row.module), row.cls)
    return cls
