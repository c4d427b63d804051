"""Apart from the rest, so that the command line can offer it without importing the grader and torch: the Tab key waits for that import."""

from enum import Enum


class Visibility(str, Enum):
    """When students see the test cases, in Gradescope's words."""

    visible = "visible"
    after_due_date = "after_due_date"
    after_published = "after_published"
