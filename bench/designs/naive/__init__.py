"""The naive design: everything is built in the call that needs it."""
