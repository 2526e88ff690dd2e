"""Counts the words of files: a producer and a task, as an application has them."""
