"""The server itself: it refuses what the provider refuses."""
