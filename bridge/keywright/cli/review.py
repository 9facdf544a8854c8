"""``keywright review``."""

from __future__ import annotations

import click

from keywright.cli.output import json_option, note, show_json


@click.command()
@click.argument("photos", nargs=-1, metavar="[PHOTO]...", type=click.Path())
@click.option("--no-browser", is_flag=True, help="Show the link instead of opening it.")
@json_option
def review(photos: tuple[str, ...], no_browser: bool, as_json: bool) -> None:
    """Open the review pages in the browser, on exactly these photos where any are named.

    The bridge is started where it does not run yet. The link works once, for two minutes.
    """
    from keywright.errors import KeywrightError
    from keywright.home import Home
    from keywright.platform import expanded
    from keywright_plugin import Client
    from keywright_plugin.errors import BridgeError
    from keywright_plugin.values import PhotoRef

    try:
        client = Client.open(Home.default().folder)
        missing: list[str] = []
        if photos:
            asked = [str(expanded(photo).absolute()) for photo in photos]
            found = client.find_photos([PhotoRef(path=path) for path in asked])
            known = [one for one in found if not isinstance(one, str)]
            ids = [one.id for one in known]
            missing = [one for one in found if isinstance(one, str)]
            if not ids:
                raise KeywrightError(missing[0])
            unseen = [one.id for one in known if not one.has_vector and one.error is None]
            if unseen:
                client.embed(unseen)  # their suggestions appear in the page when they are ready
            url = client.select_for_review(ids)
        else:
            url = client.login_link()
    except BridgeError as error:
        raise KeywrightError(str(error)) from error
    for sentence in missing:
        note(sentence)
    opened = not no_browser and not as_json and click.launch(url) == 0
    if as_json:
        show_json({"url": url, "photos": len(photos) - len(missing), "missing": missing})
    elif not opened:
        click.echo(url)
