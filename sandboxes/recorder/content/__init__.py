"""Sees weights through what hides them."""
