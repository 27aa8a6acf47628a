"""Radicale on a free port of this machine, run by the Python of its own environment: FOLDER NAME PASSWORD."""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Says nothing of what it is asked."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def serve(folder: Path, user: str, password: str) -> None:
    """Print the port and answer until killed."""
    from radicale import Application, config  # type: ignore[import-not-found]  # this environment has it, ours has not

    (folder / "users").write_text(f"{user}:{password}\n")
    login = {"type": "htpasswd", "htpasswd_filename": str(folder / "users"), "htpasswd_encryption": "plain"}
    stored = {"filesystem_folder": str(folder / "collections"), "_filesystem_fsync": "False"}
    settings = config.load()
    own = {"auth": login | {"delay": "0"}, "storage": stored, "logging": {"level": "error"}}
    settings.update(own, "the test", privileged=True)
    server = make_server("127.0.0.1", 0, Application(settings), handler_class=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), *sys.argv[2:4])
