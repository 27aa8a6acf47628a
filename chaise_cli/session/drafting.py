"""A home in the making: filled in a folder beside its place, which is renamed when everything is in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chaise_cli.session import home as homes

if TYPE_CHECKING:
    from collections.abc import Callable


@contextmanager
def drafted(home: homes.Home, random: Callable[[int], bytes]) -> Iterator[homes.Home]:
    """The home under a hidden name, empty but for the folder of objects; it gets its place when the block ends.

    A failure removes it, a crash leaves the hidden folder: there is never half a home. The caller checked that
    nothing is at the place, and closes what it opened.
    """
    home.path.parent.mkdir(parents=True, exist_ok=True)
    draft = homes.Home(home.path.with_name(f".{home.path.name}.{random(4).hex()}"))
    draft.path.mkdir(0o700)
    try:
        draft.objects.mkdir(0o700)
        yield draft
        homes.sync_folder(draft.path)
        if home.path.exists():
            home.path.rmdir()
        draft.path.rename(home.path)
    except BaseException:
        shutil.rmtree(draft.path, ignore_errors=True)
        raise
    homes.sync_folder(home.path.parent)
