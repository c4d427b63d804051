"""What a grade is, where it is stored, and the tables and pages that are views of it."""
