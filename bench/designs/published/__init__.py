"""The published design: the classes of the article."""
