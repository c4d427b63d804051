"""The grader of the course: builds lessons, checks answers, grades classes. `python -m autograde --help` teaches the rest."""
