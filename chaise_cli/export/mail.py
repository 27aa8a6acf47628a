"""A scheduling message as a ready mail: RFC 6047, iTIP in mail. Written, never sent."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

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


def letter(calendar: bytes, method: Method, summary: str, sender: Person, recipient: Person) -> bytes:
    """The mail that carries the calendar, `method` being that inside. Both people have an address.

    Date and Message-ID are left to whoever sends it: only then is the time true, and the same ledger gives the same
    bytes. Base64, so that no server on the way touches the calendar's line ends.
    """
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"] = _address(sender)
    mail["To"] = _address(recipient)
    mail["Subject"] = _SUBJECTS[method].format(label(summary))
    mail["X-Unsent"] = "1"  # mail programs open it as a draft
    mail.set_content(
        calendar, maintype="text", subtype="calendar", cte="base64", params={"method": method, "charset": "UTF-8"}
    )
    return mail.as_bytes()


def _address(person: Person) -> Address:
    assert person.email, "a mail is written only between people with addresses"
    return Address(label(person.name), addr_spec=person.email)
