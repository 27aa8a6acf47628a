"""Results made visible, as text, tables, JSON or CSV; the only place that writes to a terminal."""
