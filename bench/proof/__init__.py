"""What proves memcurve right: accuracy, explanations, the gate by mutation, overhead, peers."""
