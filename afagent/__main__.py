"""`python -m afagent`: the command `afagent`."""

from afagent.cli import main

main()
