"""The HTML pages: one for each student, one for each exercise, and one for the class; views of results and of what the gradebook says."""
