"""One verb per file: parse the arguments, call the session once, emit the result."""
