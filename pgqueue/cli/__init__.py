"""The command line: a door for people. It asks the store and prints; it decides nothing."""
