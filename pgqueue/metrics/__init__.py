"""Numbers for Prometheus: what a worker counts of itself, and what the database is asked for all."""
