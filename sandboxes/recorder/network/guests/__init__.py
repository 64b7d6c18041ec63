"""Real programs that serve what only they can, shut away from the rest of the witness."""
