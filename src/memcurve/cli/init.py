"""`memcurve init`: write a first scenario, a test, and the job that runs both."""

from pathlib import Path

import click
import msgspec

from memcurve.model.errors import OutputError


@click.command(short_help="Write a first scenario, a test and the CI job of this project.")
@click.argument("target", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: what was written.")
def init(target: str | None, as_json: bool) -> None:
    """Write a first scenario, a test and the CI job for TARGET (path/file.py:function).

    Without TARGET, it writes an example of a call that you replace. A file that is there stays as
    it is. Nothing is run.

    \b
    Examples:
      memcurve init app/jobs.py:handle
      memcurve init
      memcurve init app/jobs.py:handle --json
    """
    from memcurve.cli.first_call import EXAMPLE, call_of, example_call
    from memcurve.cli.first_files import GITLAB, TESTS, files_of

    project = Path.cwd()
    call = call_of(target) if target else example_call()
    files = files_of(call, project, example=not target)
    written = {str(path): _written(project / path, text) for path, text in files.items()}
    if as_json:
        click.echo(msgspec.json.encode({"written": written}).decode())
        return
    for path, is_new in written.items():
        click.echo(f"wrote  {path}" if is_new else f"kept   {path} (it was there)")
    if not target:
        click.echo(f"next: make one call of your program in {EXAMPLE}")
    if (project / ".gitlab-ci.yml").exists():
        click.echo(f"next: add to .gitlab-ci.yml: include: {{local: {GITLAB}}}")
    click.echo(f"next: memcurve run; python -m pytest --memcurve {TESTS}")


def _written(path: Path, text: str) -> bool:
    """Write a new file; False, and nothing touched, where there is one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        if path.exists() or path.is_symlink():
            return False
        raise OutputError(f"{path.parent} is no folder; move that file away") from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    return True
