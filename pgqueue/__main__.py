"""`python -m pgqueue` is `pgqueue`."""

from pgqueue.cli.app import run

# Guarded: what a job starts by multiprocessing imports this file again.
if __name__ == "__main__":
    run()
