"""`python -m pgqueue` is `pgqueue`."""

from pgqueue.cli.app import main

main()
