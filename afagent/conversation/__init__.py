"""The world of a conversation: what the model is told, by tier and by preset, what it is asked, and what it answered."""
