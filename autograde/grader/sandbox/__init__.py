"""Isolates a forked process before untrusted code runs in it."""
