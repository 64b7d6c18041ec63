"""The release gate: a policy and logs in, a verdict out. It reads logs and knows nothing of the lab."""
