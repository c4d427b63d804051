"""What a grade is, where it is stored, and the tables that are views of it."""
