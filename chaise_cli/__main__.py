"""`python -m chaise_cli`, with the working directory kept off the import path."""

from __future__ import annotations

import sys

if sys.path and sys.path[0] == "":
    del sys.path[0]

from chaise_cli.cli import main

if __name__ == "__main__":
    main()
