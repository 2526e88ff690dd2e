"""Other queues' names for ours: their code runs after its import is changed, while it moves to pgqueue's own names."""
