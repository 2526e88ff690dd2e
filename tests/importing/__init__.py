"""Jobs that wait in other queues come to ours: none is lost, none is doubled, and each is what it was."""
