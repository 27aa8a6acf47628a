"""Vouchers: the agent device's signed word that an open review belongs to a paid deal. docs/spec/reviews.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chaise_cli.crypto import signing
from chaise_cli.domain.body import replace
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.store import own

if TYPE_CHECKING:
    from chaise_cli.domain.review import Voucher
    from chaise_cli.session.session import Session
    from chaise_cli.session.writing import Writer

TAG: Final = signing.TAGS.voucher


def signed(session: Session, writer: Writer, voucher: Voucher) -> Voucher:
    """The voucher with this device's certificates and signature."""
    certificates = tuple(canonical.encode(one).decode() for one in own.certificates(session.db))
    signature = text(writer.sign(TAG, voucher.signed_text()))
    return replace(voucher, certificates=certificates, signature=signature)


def holds(voucher: Voucher) -> bool:
    """Whether signature and certificates are the agent device's, as the voucher says. Never raises."""
    try:
        chain = certificate.check([json.loads(one) for one in voucher.certificates])
    except (ChaiseError, ValueError):
        return False
    named = chain[0].device == voucher.device and chain[0].identity == voucher.agent and chain[0].is_device
    return named and signing.verify(raw(voucher.device), TAG, voucher.signed_text(), raw(voucher.signature))
