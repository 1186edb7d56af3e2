"""The commands that work on scenarios; `cli` joins them under one name."""
