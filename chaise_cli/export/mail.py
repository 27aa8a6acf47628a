"""A scheduling message as a ready mail: RFC 6047, iTIP in mail. Written, never sent."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from chaise_cli.errors import Refused
from chaise_cli.export.icaltext import label

if TYPE_CHECKING:
    from chaise_cli.export.ical import Method, Person

_SUBJECTS: Final = {
    "REQUEST": "Invitation: {}",
    "REPLY": "Answer: {}",
    "COUNTER": "Another time: {}",
    "DECLINECOUNTER": "Other time declined: {}",
    "CANCEL": "Cancelled: {}",
    "PUBLISH": "{}",
}
# Of RFC 5322 what mail programs agree on: the library drops the comment in `a(b)@c`, and stumbles over the rest.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAILBOX: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class NotMailable(Refused):
    """Somebody gave an e-mail address that no mail can be written to."""

    code = "calendar.not_mailable"
    message = "no mail can be written from or to {address!r}"
    hint = "without --eml the message is written as a calendar file, which you can send yourself"
    address: str


def letter(calendar: bytes, method: Method, summary: str, sender: Person, recipient: Person) -> bytes:
    """The mail that carries the calendar, `method` being that inside. Both people have an address.

    Raises NotMailable.

    Date and Message-ID are left to whoever sends it: only then is the time true, and the same ledger gives the same
    bytes. Base64, so that no server on the way touches the calendar's line ends.
    """
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"] = _address(sender)
    mail["To"] = _address(recipient)
    mail["Subject"] = _SUBJECTS[method].format(_words(summary))
    mail["X-Unsent"] = "1"  # mail programs open it as a draft
    mail.set_content(
        calendar, maintype="text", subtype="calendar", cte="base64", params={"method": method, "charset": "UTF-8"}
    )
    return mail.as_bytes()


def _address(person: Person) -> Address:
    assert person.email, "a mail is written only between people with addresses"
    if not _MAILBOX.fullmatch(person.email) or "=?" in person.email:
        raise NotMailable(address=person.email)
    return Address(_words(person.name), addr_spec=person.email)


def _words(foreign: str) -> str:
    """A text of others for a header, in which nothing is an encoded word: the library would decode its line breaks."""
    return label(foreign).replace("=?", "= ?")
