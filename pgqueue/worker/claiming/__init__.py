"""Claiming: which jobs this worker takes, and how it writes down what became of them."""
