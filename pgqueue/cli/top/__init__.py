"""`pgqueue top`: the queues, what runs, workers, causes and dead jobs on one screen, kept fresh."""
