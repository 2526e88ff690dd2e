"""Telling people: what a message says, and the channels that carry it: mail, HTTP, a command.

A message is made from the facts of an alert (`store/alerts.py`); whatever a job wrote into them is cleaned and cut
before a channel sees it. The task that sends stands in `pgqueue/alerts.py`.
"""
