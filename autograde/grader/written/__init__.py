"""The page on which people grade written answers: one question at a time, all students, saved in nbgrader's gradebook at once."""
