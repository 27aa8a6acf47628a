"""The box key of an identity, as events name it: of boards, deals, grants and revocations alike."""

from __future__ import annotations

from typing import Annotated

from chaise_cli.domain.body import body
from chaise_cli.domain.shape import Digest, Key

BoxPublic = Annotated[str, Key(1216)]


@body
class BoxKey:
    """The public half of an identity's box key; `id` is its hash."""

    id: Digest
    key: BoxPublic
