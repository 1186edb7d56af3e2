"""What measuring costs, beside nothing and beside other tools."""
