"""Labelled leaks in which something longer takes a place at each call, or an object gets names."""

PAYLOAD = 300
MOST = 20 * PAYLOAD


class Job:
    """What a service keeps one of."""

    def __init__(self):
        self.log = ""
        self.parts = {}


TEXT, JOB, FLAGS = "", Job(), Job()


def text_that_is_added_to(number):
    global TEXT
    TEXT += f"line {number:06} " * (PAYLOAD // 12)  # site: text_that_is_added_to


def text_that_is_added_to_mended(number):
    global TEXT
    TEXT = (TEXT + f"line {number:06} " * (PAYLOAD // 12))[-MOST:]


def log_of_a_job(number):
    JOB.log += f"line {number:06} " * (PAYLOAD // 12)  # site: log_of_a_job


def log_of_a_job_mended(number):
    JOB.log = (JOB.log + f"line {number:06} " * (PAYLOAD // 12))[-MOST:]


def bytes_of_one_key(number):
    JOB.parts["body"] = JOB.parts.get("body", b"") + bytes(PAYLOAD)  # site: bytes_of_one_key


def bytes_of_one_key_mended(number):
    JOB.parts["body"] = (JOB.parts.get("body", b"") + bytes(PAYLOAD))[-MOST:]


def names_set_on_an_object(number):
    name = f"seen_by_the_handler_of_the_number_{number}"  # site: names_set_on_an_object
    setattr(FLAGS, name, True)


def names_set_on_an_object_mended(number):
    setattr(FLAGS, f"seen_by_the_handler_of_the_number_{number % 20}", True)


class Series:
    """What a service keeps one of."""

    values = None


def array_that_is_appended_to_setup():
    import numpy

    Series.values = numpy.zeros(1)
    return numpy


def array_that_is_appended_to(numpy, number):
    more = numpy.full(PAYLOAD // 8, number)
    Series.values = numpy.append(Series.values, more)  # site: array_that_is_appended_to


def array_that_is_appended_to_mended(numpy, number):
    more = numpy.full(PAYLOAD // 8, number)
    Series.values = numpy.append(Series.values, more)[-MOST:].copy()
