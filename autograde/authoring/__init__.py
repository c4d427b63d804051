"""Makes lessons from their sources, tries their checks, and writes what students get. Authors only."""
