"""Grades a class: the pool of graders, the stream of results, the lock, the progress bar."""
