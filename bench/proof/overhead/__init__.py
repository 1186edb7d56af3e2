"""What measuring costs, compared with nothing and with other tools."""
