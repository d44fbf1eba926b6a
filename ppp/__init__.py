"""PPP: Prompt, Plan, Perform. See README.md for the two commands that start everything."""
__version__ = "0.1.0"
