"""Upkeep: keeping the lease, and the chores that any worker may do for all of them."""
