"""What names of files and folders say: which system wrote them, whose work they are, which copy or attempt. Only names and lists are read."""
