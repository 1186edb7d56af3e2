"""Test files that the plugin measures in tests: one text for each corner of pytest."""

SAMPLES = '''
import asyncio, gc, logging, os, socket, threading, warnings
import pytest

KEPT, CALLS = [], []


class Node:
    def __init__(self):
        self.me = self
        self.load = bytes(2000)


@pytest.mark.memcurve(retained="64 B")
def test_leak():
    KEPT.append({"load": bytes(1000)})


@pytest.mark.memcurve(retained="2 KiB")
def test_allowed_leak():
    KEPT.append(bytes(1000))


@pytest.mark.memcurve
def test_clean():
    return None


@pytest.mark.memcurve
def test_noise_that_pytest_records():
    logging.getLogger("noise").warning("%s", "x" * 100)
    warnings.warn("noise", stacklevel=1)
    print("x" * 100)


@pytest.mark.memcurve
def test_records_that_the_test_wants(caplog, recwarn, capsys):
    logging.getLogger("noise").warning("wanted")
    warnings.warn("wanted", stacklevel=1)
    print("wanted")
    assert [r.message for r in caplog.records] == ["wanted"]
    assert len(recwarn) == 1


@pytest.mark.memcurve(deferred="1 KiB")
def test_garbage():
    Node()


class HeavyNode(Node):
    def __init__(self):
        super().__init__()
        self.load = bytes(50_000)


@pytest.mark.memcurve(garbage="4 MiB")
def test_garbage_that_stands():
    HeavyNode()


@pytest.mark.memcurve
def test_garbage_not_gated():
    Node()


@pytest.mark.memcurve
def test_descriptors(request):
    os.dup(0)


@pytest.mark.memcurve(fds=1.5, retained="1 KiB")
def test_allowed_descriptors():
    KEPT.append(os.dup(0))


@pytest.mark.memcurve
@pytest.mark.parametrize("size", [10, 3000])
def test_parameter(size):
    if size > 100:
        KEPT.append(bytes(size))


def make():
    kept = []

    @pytest.mark.memcurve
    def test():
        kept.append(bytes(500))

    return test


test_closure = make()


class TestClass:
    kept = []

    @pytest.mark.memcurve
    def test_method_leak(self):
        self.kept.append(bytes(500))

    @pytest.mark.memcurve
    def test_method_clean(self, tmp_path):
        (tmp_path / "file").write_text("x")


@pytest.mark.memcurve
@pytest.mark.asyncio
async def test_async_leak():
    await asyncio.sleep(0)
    KEPT.append(bytes(500))


@pytest.mark.memcurve
@pytest.mark.asyncio
async def test_async_clean():
    await asyncio.sleep(0)


@pytest.mark.memcurve(budget=1, grace=0.02)
@pytest.mark.asyncio
async def test_async_tasks():
    KEPT.append(asyncio.create_task(asyncio.sleep(1000)))


@pytest.mark.memcurve
@pytest.mark.anyio
async def test_anyio_leak():
    KEPT.append(bytes(500))


@pytest.fixture
def echo():
    """A server in a thread and a connection to it: nothing of it works in a fork."""
    ours, theirs = socket.socketpair()

    def serve():
        while data := theirs.recv(100):
            theirs.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield ours
    ours.close()
    thread.join()
    theirs.close()


@pytest.mark.memcurve
def test_fixture_with_sockets(echo):
    echo.sendall(b"ping")
    assert echo.recv(100) == b"ping"


@pytest.mark.memcurve
def test_fails_once():
    assert KEPT == "never"


@pytest.mark.memcurve
def test_skips():
    pytest.skip("not here")


@pytest.mark.memcurve
@pytest.mark.xfail(strict=True, reason="known")
def test_known_leak():
    KEPT.append(bytes(500))


@pytest.mark.memcurve
def test_fails_when_called_again(tmp_path):
    (tmp_path / "once").mkdir()


@pytest.mark.memcurve
def test_ends_the_process():
    CALLS.append(1)
    if len(CALLS) > 20:
        os._exit(3)


def test_unmarked():
    KEPT.append(bytes(5000))


def test_fixture_check(memcurve):
    kept = []
    checked = memcurve.check(lambda: kept.append(bytes(500)), calls=50)
    assert type(checked.verdict).__name__ == "Rising"


def test_fixture_assert(memcurve):
    kept = []
    memcurve.assert_flat(lambda: None)
    with pytest.raises(AssertionError, match='retained="64 B" a call was allowed'):
        memcurve.assert_flat(lambda: kept.append(bytes(500)), within="64 B")


@pytest.mark.asyncio
async def test_fixture_async(memcurve):
    kept = []
    loop = asyncio.get_running_loop()

    async def clean():
        assert asyncio.get_running_loop() is loop

    async def leak():
        kept.append(bytes(500))

    await memcurve.aassert_flat(clean)
    with pytest.raises(AssertionError, match="live bytes grow"):
        await memcurve.aassert_flat(leak)
    with pytest.raises(Exception, match="await memcurve.acheck"):
        memcurve.check(leak)
'''
