"""Lesson 02's numbers: dates through one vector and with looking back, and seven ways to score."""

from autograde.authoring.measuring.experiments import experiment


@experiment("figures", seeds=(0,))
def figures(lesson, seed):
    """Of the hand-made table: how much more weight the cosine's favourite gets than the least of its row."""
    weights = lesson.alignment_weights(lesson.score_table()["content-based"]())
    return {"largest_ratio": float((weights.amax(-1) / weights.amin(-1)).max())}
