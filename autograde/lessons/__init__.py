"""What each lesson is checked by: `checks/` (public), `hidden/` and `misconceptions/` (instructors only), `manifests/` (generated)."""
