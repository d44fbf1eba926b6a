"""Motions of other bodies on the sword-and-shield humanoid."""
