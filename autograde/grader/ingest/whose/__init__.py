"""Whose each file is: by what a learning system says, by folders and names, and by the list of the class."""
