"""What one call of each scenario does, one module a design."""
