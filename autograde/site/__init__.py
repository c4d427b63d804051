"""The course as a static site: lessons with figures and without answers, the guides, and what was measured."""
