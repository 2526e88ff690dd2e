"""The demo: real files counted by jobs, while a child and a worker are killed; then the proof that nothing was lost."""

from pgqueue.demo.run import run_demo

__all__ = ["run_demo"]
