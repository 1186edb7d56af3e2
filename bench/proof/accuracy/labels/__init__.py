"""The labels of the suite: a file for each file of workloads."""
