"""Grades one submission: its cells, its checks, its deadlines, and the key of its result."""
