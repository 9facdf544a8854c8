"""``keywright serve``."""

from __future__ import annotations

import os

import click

from keywright.cli.output import json_option, note, show_json


@click.command()
@click.option("--host", default=None, help="Address to listen on; 127.0.0.1 without it.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Port to listen on; 0 or none: a free one.")
@click.option("--beyond-this-machine", is_flag=True, help="Let --host be an address that others can reach.")
@json_option
def serve(host: str | None, port: int | None, beyond_this_machine: bool, as_json: bool) -> None:
    """Be the bridge that Lightroom, digiKam and the browser talk to, until it is ended.

    Where a bridge runs already, says where, and leaves it running.
    """
    from keywright.platform import ONE_THREAD

    os.environ.update(ONE_THREAD)
    from keywright.config import load_config
    from keywright.home import Home
    from keywright.service import server
    from keywright_plugin.connection import Connection

    config = load_config()
    chosen = {"host": host, "port": port}
    service = config.service.model_copy(update={k: v for k, v in chosen.items() if v is not None})
    server.check_address(service.host, beyond=beyond_this_machine)

    def ready(connection: Connection) -> None:
        shown = {"url": connection.url, "pid": connection.pid, "running_already": False}
        show_json(shown) if as_json else click.echo(f"Keywright listens at {connection.url}; Ctrl+C ends it.")

    try:
        server.serve(Home.default(), config.model_copy(update={"service": service}), ready)
    except server.AlreadyRunningError as error:
        if as_json:
            show_json({"url": error.connection.url, "pid": error.connection.pid, "running_already": True})
        else:
            note(str(error))
