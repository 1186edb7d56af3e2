"""The designs that the scenarios compare: what each is made of, and one call of each scenario."""
