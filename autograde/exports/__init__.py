"""Grades for other systems: a table, the gradebooks of learning systems, and an autograder that Gradescope runs."""
