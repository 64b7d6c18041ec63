"""From records of episodes to the verdict. Pure, but for reading the controls' scores."""
