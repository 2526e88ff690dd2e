"""What every Python adapter shares: the protocol's loop, its measures, and the tasks that are run."""
