"""What is made from a verdict, and from nothing else: one form a file."""
