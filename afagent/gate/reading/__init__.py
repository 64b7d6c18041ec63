"""From files of logs to records of episodes."""
