"""What the lessons import: environments, text, pictures, training. Nothing here is an answer to an exercise."""
