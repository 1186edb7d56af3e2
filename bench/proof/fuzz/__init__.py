"""Files of others, spoiled in every way: one line that names the file, or accepted."""
