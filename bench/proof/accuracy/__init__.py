"""The accuracy suite: labelled workloads, their true growth, and who tells it right."""
