"""`chaise relay serve`, `chaise relay invite`, `chaise relay invites`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.render.emit import emit
from chaise_cli.render.terminal import put
from chaise_cli.result import Result
from sync.relay import start
from sync.relay.limits import Limits

LISTEN: Final = "127.0.0.1:8787"
MIB: Final = 1024 * 1024
app = typer.Typer(**PLAIN, help="Run a relay, or invite to one.")
StoreOption = Annotated[
    str | None, typer.Option("--store", help="sqlite:PATH, postgresql://… or memory:", metavar="STORE")
]


class HalfTls(Usage):
    """A certificate without its key, or the reverse."""

    code = "relay.half_tls"
    message = "TLS takes both --tls-cert and --tls-key"
    hint = "give both, or neither behind a proxy that speaks TLS"


@app.callback()
def relay() -> None:
    """Run a relay, or invite to one."""


@verb(app, "relay serve")
def serve(
    call: Call,
    listen: Annotated[str, typer.Option("--listen", help="Port 0 takes a free one.", metavar="HOST:PORT")] = LISTEN,
    store: StoreOption = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", help="Certificate chain.", metavar="FILE")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key.", metavar="FILE")] = None,
    size_mib: Annotated[
        int, typer.Option("--max-mib", help="MiB kept for one identity.", min=1, metavar="N")
    ] = Limits().size // MIB,
    requests: Annotated[
        int, typer.Option("--max-requests", help="Requests a minute of one identity.", min=1, metavar="N")
    ] = Limits().requests,
    spaces: Annotated[
        int, typer.Option("--max-spaces", help="Spaces made by one identity.", min=1, metavar="N")
    ] = Limits().spaces,
) -> None:
    """Keep and pass on sealed events for whoever registers here, until stopped."""
    if (tls_cert is None) != (tls_key is None):
        raise HalfTls
    limits = Limits(size=size_mib * MIB, requests=requests, spaces=spaces)
    opened = start.open_relay(store or _default(), limits, call.clock.now)
    wanted = start.Wanted(
        listen, str(tls_cert) if tls_cert else None, str(tls_key) if tls_key else None, call.options.quiet
    )

    def listening(url: str) -> None:
        if opened.first_invite is not None:
            put(sys.stderr, f"invite: {opened.first_invite}\n")
        emit(Result("relay serve", _data(opened, url, opened.first_invite)), call.options)
        sys.stdout.flush()

    start.serve(opened, wanted, listening)


@verb(app, "relay invite")
def invite(
    call: Call,
    store: StoreOption = None,
    withdraw: Annotated[
        str | None, typer.Option("--withdraw", help="Let nobody in by this one any more.", metavar="ID")
    ] = None,
) -> Result:
    """Print an invite that lets somebody register at the relay of a store, or withdraw one."""
    with _opened(call, store) as opened:
        if withdraw is not None:
            return call.result(_data(opened, None, None) | {"withdrawn": opened.relay.withdraw(withdraw)})
        return call.result(_data(opened, None, opened.relay.new_invite()))


@verb(app, "relay invites", lists=True)
def invites(call: Call, store: StoreOption = None) -> Result:
    """List the invites that let somebody register; an invite itself is kept nowhere."""
    with _opened(call, store) as opened:
        return call.result([{"id": name} for name in opened.relay.invites()])


@contextmanager
def _opened(call: Call, store: str | None) -> Iterator[start.Opened]:
    opened = start.open_relay(store or _default(), Limits(), call.clock.now)
    try:
        yield opened
    finally:
        opened.relay.store.close()


def _default() -> str:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return f"sqlite:{Path(base) / 'chaise-relay' / 'relay.db'}"


def _data(opened: start.Opened, url: str | None, invite_: str | None) -> dict[str, object]:
    named = start.invite_id(invite_) if invite_ else None
    return {
        "url": url,
        "relay": opened.key,
        "store": opened.kind,
        "invite": invite_,
        "invite_id": named,
        "withdrawn": None,
    }
