"""What happens to a service that lives for months: callers leave, keys rotate, upstreams close."""

from bench.service.routes import of_the_service

stream = of_the_service(
    "stream", "One workflow a call, read as events to its end.", naive="unaided"
)
leave = of_the_service(
    "leave",
    "The caller leaves while the model is asked: a stream, or an answer that it waited for.",
    setup="hanging",
    naive="hanging_unaided",
    naive_call="leave_unaided",
)
evict = of_the_service(
    "evict",
    "One of 40 tenants a call, each with a key of its own; four models are held.",
    setup="open_to_tenants",
    naive="unaided",
)
rotate = of_the_service(
    "rotate", "The provider's key is replaced before each call.", call="rotate_key", naive="unaided"
)
reconnect = of_the_service(
    "reconnect",
    "The upstreams close each connection after one answer.",
    call="execute",
    setup="closing",
    naive="closing_unaided",
)
