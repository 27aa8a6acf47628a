"""`chaise rail sim`: a rail for rehearsals, in a process of its own."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.render.emit import emit
from chaise_cli.session import staying

LISTEN: Final = "127.0.0.1:8899"
_SIMULATION: Final = "chaise_cli.rails.simulation"  # by name: `rail due` is no server, and does not pay for one
app = typer.Typer(**PLAIN)


@verb(app, "rail sim")
def sim(
    call: Call,
    listen: Annotated[str, typer.Option("--listen", help="Port 0 takes a free one.", metavar="HOST:PORT")] = LISTEN,
    store: Annotated[Path | None, typer.Option("--store", help="Its file.", metavar="FILE")] = None,
    control: Annotated[bool, typer.Option("--control", help="Take orders: faults, clock, chargebacks.")] = False,
    key_horizon: Annotated[
        str, typer.Option("--key-horizon", help="Keys are forgotten after it.", metavar="DURATION")
    ] = "24h",
    hold_expiry: Annotated[
        str, typer.Option("--hold-expiry", help="Nobody pays later than this.", metavar="DURATION")
    ] = "7d",
    reversible: Annotated[
        str, typer.Option("--reversible", help="Holds can be clawed back so long.", metavar="DURATION")
    ] = "120d",
    fee_bp: Annotated[
        int, typer.Option("--fee-bp", help="Its fee, in hundredths of a per cent.", min=0, max=1000, metavar="N")
    ] = 0,
) -> None:
    """Run a rail that moves numbers instead of money, until stopped."""
    call.stays()
    server: Any = import_module(f"{_SIMULATION}.server")
    terms = server.Terms(
        key_horizon_ms=arguments.duration(key_horizon),
        hold_expiry_ms=arguments.duration(hold_expiry),
        reversible_ms=arguments.duration(reversible),
        fee_bp=fee_bp,
    )
    path = (store or _default()).expanduser().absolute()
    with staying.until_told() as told, server.running(listen, path, terms, call.clock.now, controlled=control) as url:
        emit(call.result({"url": url, "store": str(path), "control": control}), call.options)
        sys.stdout.flush()
        told.wait()


def _default() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(base) / "chaise-sim" / "rail.db"
