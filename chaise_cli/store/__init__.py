"""The client's encrypted SQLite database; the only place that speaks SQL and imports its driver."""
