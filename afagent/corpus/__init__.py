"""The instrument's own proof: techniques of theft and innocent work, run in the real lab, judged against an oracle."""
