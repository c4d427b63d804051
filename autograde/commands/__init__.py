"""The frame of the command line, and the commands that students have."""
