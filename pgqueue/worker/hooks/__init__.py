"""Hooks under way: which are wanted, the bounded line in which they wait, and where they are called."""
