"""What a lesson's source, tests and wrong answers must be: each mistake is one line with its file and line number."""
