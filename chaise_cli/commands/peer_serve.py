"""`chaise peer serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.render.emit import emit, note
from chaise_cli.session import serving, staying

if TYPE_CHECKING:
    from chaise_cli.session.syncing import Done

app = typer.Typer(**PLAIN)


class KeyAlone(Usage):
    """A key without its certificate."""

    code = "usage.tls_key_alone"
    message = "--tls-key says nothing without --tls-cert"
    hint = "give both, or --tls-cert alone where one file holds both"


@verb(app, "peer serve")
def serve(
    call: Call,
    listen: Annotated[
        str, typer.Option("--listen", help="Where to answer; port 0 is any free one.", metavar="HOST:PORT")
    ] = f"127.0.0.1:{serving.PORT}",
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="Speak TLS with this certificate.", metavar="FILE")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="The certificate's key.", metavar="FILE")] = None,
    for_: Annotated[
        str | None, typer.Option("--for", help="Stop after so long, as 10m; 0 at once.", metavar="DURATION")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop after one exchange.")] = False,
) -> None:
    """Answer peers over HTTP until interrupted."""
    if tls_key is not None and tls_cert is None:
        raise KeyAlone
    call.stays()
    seconds = arguments.stay(for_)
    tls = serving.Tls(tls_cert, tls_key) if tls_cert is not None else None
    with call.session() as session, serving.open_server(session, listen, tls) as server, staying.until_told() as told:
        _begin(call, server.url)
        staying.stay(told, seconds, server.come, lambda done: _show(call, server.url, done) and once, server.tick)


def _begin(call: Call, url: str) -> None:
    if call.options.format == "human":
        note(f"serving at {url}", call.options)
    else:
        emit(call.result({"at": url, "peers": []}), call.options)


def _show(call: Call, url: str, done: Done) -> bool:
    """Tell of an exchange with a peer, when something moved or went wrong; whether it is over, which it always is."""
    if done.told():
        emit(call.result({"at": url, "peers": [done.peer()]}, error=done.failure), call.options)
    return True
