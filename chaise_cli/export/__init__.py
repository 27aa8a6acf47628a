"""Results as files of other programs: calendars, bookkeeping, tables, pages."""
