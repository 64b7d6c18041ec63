"""What a policy needs, costs and risks, before anything is run."""
