"""Plays, judges, writes down and tells: the part of the gate that touches the world."""
