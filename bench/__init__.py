"""Our speed beside raw ceilings, measured in the same run on the same server. `make bench` runs all of it."""
