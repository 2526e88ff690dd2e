"""Sends mails that nobody gets twice: a producer and a task, as an application has them."""
