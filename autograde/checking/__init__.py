"""What ships to students: checks and what they are made of."""
