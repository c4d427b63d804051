"""What names of files and folders say: which system wrote them, whose work they are, which copy or attempt. Nothing is read but names and the lists beside them."""
