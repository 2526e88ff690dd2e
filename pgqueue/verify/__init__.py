"""The verifier: jobs of every kind under a seeded schedule of faults, and checks that show whether a promise broke."""

from pgqueue.verify.run import run_verify

__all__ = ["run_verify"]
