"""Finds submissions and reads them as data, whatever state they are in."""
