"""The grader: strangers' code in one process, tests and oracles in another, data between them."""
