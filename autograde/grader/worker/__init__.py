"""The untrusted side: the pre-forking server and the process that runs one student's code."""
