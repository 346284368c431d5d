"""Persons: who they are, how they stand, what they are painted with."""
