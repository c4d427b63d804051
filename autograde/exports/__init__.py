"""Grades for other systems: a table, Canvas's gradebook, and an autograder that Gradescope runs."""
