"""Attempts: from a claim to the outcome of one call of its task."""
