"""Supervision: the main thread, from enlisting to the end, and what people and supervisors ask of it meanwhile."""
