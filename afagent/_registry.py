"""What Inspect finds by name: the entry point of group `inspect_ai`."""
