"""nbgrader's course directory and gradebook, filled with our results."""
