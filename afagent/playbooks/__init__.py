"""Scripted models with known behaviour: the format, the Inspect provider `afagent/<name>`, and what validates them."""
