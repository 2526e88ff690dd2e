"""Speed, measured side by side with raw ceilings: what `pgqueue bench` runs, and `make bench` with peers beside it.

Nothing is imported here: the processes that are measured live in this package, and are to hold no more than they need.
"""
