"""Judges that are models: what they are asked, which of their answers count, and how often those are right."""
