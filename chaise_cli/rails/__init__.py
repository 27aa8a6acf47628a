"""One adapter per way of really moving money."""
