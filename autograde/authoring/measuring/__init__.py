"""Numbers that a lesson's text takes from a run: measured by a script, kept in docs/measured/, filled in by the build.

Instructors and authors have this package; students' notebooks hold the numbers already.
"""
