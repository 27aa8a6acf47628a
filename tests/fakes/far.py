"""The far side of a sync as a program: `python -m tests.fakes.far HOW` speaks on its standard streams."""

from __future__ import annotations

import sys
import time

from sync.transports.stdio import serve
from tests.fakes.replica import Device, MemoryReplica


def main(how: str) -> int:
    """Serve an empty replica of James, or misbehave as named."""
    james = MemoryReplica(Device("james"))
    print("\x1b[31mhello from afar\x1b[0m", file=sys.stderr, flush=True)
    match how:
        case "serve":
            exchange = serve(james, james.device, sys.stdin.buffer, sys.stdout.buffer)
            print(f"received {exchange.received}", file=sys.stderr)
            return 0 if exchange.failure is None else exchange.failure.exit
        case "fail":
            print("chaise: the home is locked", file=sys.stderr)
            return 4
        case "chatter":
            sys.stderr.write("x" * 2_000_000 + "\n" * 5_000)
            exchange = serve(james, james.device, sys.stdin.buffer, sys.stdout.buffer)
            return 0 if exchange.failure is None else exchange.failure.exit
        case "banner":
            sys.stdout.write("Welcome!\n")
            return 0
        case "silent":
            sys.stdin.read()
            return 0
        case _:  # neither listens nor ends when its input does
            while True:
                time.sleep(60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
