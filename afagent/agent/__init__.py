"""What the agent is given beside the shell."""
