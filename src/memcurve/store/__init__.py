"""Files: the only access to what is kept between runs."""
