"""Feeding: a resumable iterator streamed into the queue, so many jobs at most waiting, each item exactly once."""

from pgqueue.feeding.feed import feed
from pgqueue.feeding.progress import Fed, FeedProgress

__all__ = ["Fed", "FeedProgress", "feed"]
