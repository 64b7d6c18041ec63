"""The report: one HTML file for a person who decides. Made from a verdict and from what was read of logs."""
