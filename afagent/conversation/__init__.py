"""The world of a conversation: what the model is told, what it is asked, and what it answered."""
