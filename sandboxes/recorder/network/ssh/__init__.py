"""SSH, and what is done over it."""
