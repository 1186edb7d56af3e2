from memcurve.errors import MemcurveError

__all__ = ["MemcurveError"]
