"""Our speed beside raw ceilings and other queues, measured in the same run on the same server: `make bench`."""
