"""Tables of data: read from CSV, prepared, and learned from."""
