"""What this machine says of itself: its time zone and its name. Only guesses for what `init` was not told."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

from chaise_cli.domain import when
from chaise_cli.domain.when import UnknownZone

FALLBACK: Final = "UTC"
_LOCALTIME: Final = Path("/etc/localtime")
_TIMEZONE: Final = Path("/etc/timezone")


def zone() -> str:
    """The IANA name of the system's zone; UTC where it does not tell one that means the same elsewhere."""
    for name in (os.environ.get("TZ", "").removeprefix(":"), _linked(), _written()):
        try:
            return when.zone(name).key
        except UnknownZone:
            continue
    return FALLBACK


def device_name() -> str:
    """What this device is called unless told otherwise: the host's own name, without its domain."""
    host = os.environ.get("COMPUTERNAME", "") if sys.platform == "win32" else os.uname().nodename
    return re.sub(r"[^A-Za-z0-9-]", "", host.partition(".")[0])[:64] or "device"


def _linked() -> str:
    try:
        return str(_LOCALTIME.resolve(strict=True)).rpartition("/zoneinfo/")[2]
    except OSError:
        return ""


def _written() -> str:
    try:
        return _TIMEZONE.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
