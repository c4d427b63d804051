"""Checks an answer: what runs in a student's kernel and in the grader alike. Ships to students."""
