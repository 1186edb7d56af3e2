"""How often the judge's words are true: on simulated curves of known slope."""
