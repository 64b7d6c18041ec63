"""Letters, and the protocols that bring and fetch them."""
