"""The relay: a server that keeps and passes on events it cannot open. docs/spec/relay.md."""
