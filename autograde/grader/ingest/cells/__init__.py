"""A submission's cells beside the lesson's: which answers what, what of the student's own is run, and what stands between as an answer in words."""
