"""Every attempt, whatever came of it."""
