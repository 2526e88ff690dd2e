"""A month in the life of a busy queue, as rows: the same for the same seed, moment and scale."""
