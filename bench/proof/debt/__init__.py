"""Run workloads that leave garbage, and hold the forecast of what stands to what stood."""
