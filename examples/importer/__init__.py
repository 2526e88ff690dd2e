"""Imports a large CSV file in batches: seen while it goes on, stopped and killed at any moment, each row once."""
