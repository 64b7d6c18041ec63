"""Does a model act against the lab that trains it? A suite for Inspect AI."""

from importlib.metadata import version

__version__ = version("afagent")
__all__ = ["__version__"]
