"""A hundred calls to a million: what measuring takes does not grow with them but in time."""
