"""What is said in a deal without changing it: messages, updates, and how to reach one another. All free kinds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.shape import Digest, Email, Many, Name, Prose, Secret, Text, Whole, Zone

FILES_MOST: Final = 20
MESSAGE_MOST: Final = 32_000


@body
class Attachment:
    """A file: its name, size in bytes, hash of the content, address (hash of the ciphertext) and key."""

    name: Annotated[str, Text(200, 1)]
    size: Annotated[int, Whole()]
    digest: Digest
    address: Digest
    key: Secret


Attachments = Annotated[tuple[Attachment, ...], Many(FILES_MOST)]


@body
class MessageSent:
    """Words from one side to the other."""

    KIND: ClassVar[str] = "message.sent"
    text: Prose
    files: Attachments


@body
class WorkUpdate:
    """News of the work, on one milestone or on all of it."""

    KIND: ClassVar[str] = "work.update"
    milestone: Annotated[int, Whole(1, 100)] | None
    text: Prose
    files: Attachments


@body
class ContactShared:
    """How one side wants to be reached; stays inside the deal."""

    KIND: ClassVar[str] = "contact.shared"
    handle: Name
    name: Name
    tz: Zone
    email: Email | None
