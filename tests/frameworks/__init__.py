"""Frameworks of the web, and what we give them."""
