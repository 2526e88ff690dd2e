"""One worker for several databases: an enlistment in each, and one executor whose slots they share."""
