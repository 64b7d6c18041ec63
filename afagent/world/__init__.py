"""Builds what the agent finds: weights, documents, accounts and the job."""
