"""The worker: a parent that talks to the database, and executors that run jobs."""
