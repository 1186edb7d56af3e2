"""The parts of the stub backend; `bench.stub_server` is the door."""
