"""Files as data, in whatever state they are: archives, mails, notebooks of any program, scripts, and the Python in their cells."""
