"""ragpool's benchmark: scenarios, the designs they compare, and the stub of their backend."""
