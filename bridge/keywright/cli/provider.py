"""``keywright provider add|list|remove|test|describe``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from keywright.cli.output import counted, json_option, note, note_failures, percent, progress_bar, show_json, table
from keywright.errors import KeywrightError
from keywright.operations.workspace import Workspace
from keywright.platform import expanded
from keywright.text import printable

# The names of describing.providers.Kind, so that --help imports nothing.
KINDS = ("openai", "google-vision", "landinglens", "moondream")


@click.group()
def provider() -> None:
    """Outside describers: vision models of yours and services that say what a photo shows. Off until you add one."""


@provider.command()
@click.argument("name")
@click.option(
    "--preset",
    metavar="PRESET",
    help="A known provider; without a value of its own, NAME. See `provider list --presets`.",
)
@click.option("--kind", type=click.Choice(KINDS), help="What it speaks, for one that is no preset.")
@click.option("--url", help="Its address; of a moondream its folder.")
@click.option("--model", help="The model it is asked for; of LandingLens the endpoint's id.")
@click.option("--longest-side", type=int, metavar="PIXELS", help="Of the picture that is sent (768).")
@click.option("--send-keywords/--no-send-keywords", default=None, help="Send your keywords' names, to choose from.")
@click.option(
    "--new-keywords/--no-new-keywords", default=None, help="Let it suggest keywords you do not have, marked as new."
)
@click.option("--per-minute", type=int, metavar="N", help="Most calls in a minute (60).")
@click.option("--seconds", type=float, metavar="S", help="How long an answer may take (60).")
@click.option("--most-calls", type=int, metavar="N", help="A budget in calls.")
@click.option("--most-money", type=float, metavar="M", help="A budget in money; needs --price.")
@click.option("--price", type=float, metavar="M", help="What one call costs.")
@click.option("--key", is_flag=True, help="Ask for its key, and keep that in the system's keyring.")
@click.option("--agree", is_flag=True, help="Agree to what is sent without being asked; it is still shown.")
@json_option
def add(
    name: str,
    preset: str | None,
    kind: str | None,
    url: str | None,
    model: str | None,
    key: bool,
    agree: bool,
    as_json: bool,
    **values: object,
) -> None:
    """Add the describer NAME, or change it. You are told what would be sent where, and asked whether you agree."""
    from keywright.describing.providers import PRESETS, Kind, Provider, changed
    from keywright.operations import describing

    with Workspace.open() as workspace:
        known = {one.provider.name: one.provider for one in describing.providers(workspace)}
        if kind is not None:
            kept_at = _folder(_needed(url)) if kind == Kind.MOONDREAM else _needed(url)
            new = changed(Provider(name, Kind(kind), kept_at), model=model, **values)
        elif preset is None and name in known:
            url = _folder(url) if url is not None and known[name].kind is Kind.MOONDREAM else url
            new = changed(known[name], url=url, model=model, **values)
        elif (chosen := PRESETS.get(preset or name)) is not None:
            new = changed(chosen.provider(name), url=url, model=model, **values)
        else:
            raise KeywrightError(
                f"There is no preset {preset or name}; choose one of {', '.join(PRESETS)}, or give --kind and --url."
            )
        secret = click.prompt(f"Key of {name}", hide_input=True, err=True) if key else None
        note(new.consent())
        if not agree and not _agrees():
            raise KeywrightError("You did not agree, so nothing was configured and nothing will be sent.")
        forgotten = describing.add(workspace, new, agreed=new.consent(), key=secret)
    if forgotten:
        note(f"The address is another, so a key of {name} was taken out of the keyring; give it anew with --key.")
    if as_json:
        show_json({"provider": new, "agreed": new.consent()})
    else:
        click.echo(f"{name} is configured; try it with `keywright provider test {name} PHOTO`.")


def _needed(url: str | None) -> str:
    if url is None:
        raise click.UsageError("--kind needs --url.")
    return url


def _folder(path: str) -> str:
    """The same folder wherever a later command is run."""
    return str(expanded(path).resolve())


def _agrees() -> bool:
    try:
        return click.confirm("Do you agree?", default=False, err=True)
    except click.Abort:
        return False


@provider.command(name="list")
@click.option("--presets", is_flag=True, help="The known providers instead of yours.")
@json_option
def list_command(presets: bool, as_json: bool) -> None:
    """Your describers: where they are, what you agreed to, what was spent."""
    if presets:
        from keywright.describing.providers import PRESETS

        if as_json:
            show_json(PRESETS)
            return
        rows = [(key, one.kind.value, one.url, one.model, one.about) for key, one in PRESETS.items()]
        table("Known providers", ("preset", "kind", "address", "model", "about"), rows)
        return
    from keywright.operations import describing

    with Workspace.open() as workspace:
        found = describing.providers(workspace)
    if as_json:
        show_json(found)
        return
    table(
        counted(len(found), "provider"),
        ("name", "kind", "address", "model", "may send", "calls", "money"),
        [
            (
                one.provider.name,
                one.provider.kind.value,
                one.provider.url,
                one.provider.model,
                "yes" if one.may_send else "no: agree again",
                _of(one.calls, one.provider.most_calls),
                _of(one.money, one.provider.most_money),
            )
            for one in found
        ],
        right=(5, 6),
    )


def _of(spent: float, most: float | None) -> str:
    return f"{spent:g}" if most is None else f"{spent:g} of {most:g}"


@provider.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Take out the describer NAME, its key and its answers."""
    from keywright.operations import describing

    with Workspace.open() as workspace:
        describing.remove(workspace, name)
    if as_json:
        show_json({"removed": name})
    else:
        click.echo(f"{name} is taken out, with its key and its answers.")


@provider.command()
@click.argument("name")
@click.argument("photo", type=click.Path(path_type=Path))
@json_option
def test(name: str, photo: Path, as_json: bool) -> None:
    """Ask the describer NAME about one PHOTO now, and show what it sees among your keywords."""
    from keywright.operations import describing

    with Workspace.open() as workspace:
        found = describing.try_out(workspace, name, photo)
    if as_json:
        show_json(
            [{"keyword": s.keyword, "score": round(s.score, 4), "word": s.word, "how": s.how.value} for s in found]
        )
        return
    for one in found:
        click.echo(printable(f"  {percent(one.score):>4}  {one.keyword}   ({one.how.value}: {one.word})"))
    click.echo(
        f"{name} answered; {counted(len(found), 'keyword')} of yours {'is' if len(found) == 1 else 'are'} in it."
    )


@provider.command()
@click.argument("name")
@click.argument("targets", nargs=-1, required=True, metavar="SOURCE|PHOTO...")
@click.option("--again", is_flag=True, help="Ask also about photos that NAME has described; each is paid for anew.")
@json_option
def describe(name: str, targets: tuple[str, ...], again: bool, as_json: bool) -> None:
    """Have the photos of sources, or single photos, described by NAME; suggestions take the answers into account."""
    from keywright.operations import describing
    from keywright.operations.suggesting import resolve

    since = datetime.now(UTC) if again else None
    with Workspace.open() as workspace, progress_bar() as progress:
        rows = resolve(workspace, targets, progress=progress)
        report = describing.describe_photos(workspace, name, rows, again=since, progress=progress)
    if as_json:
        show_json(report)
    else:
        note_failures(report.failures, "Not described")
        click.echo(f"{report.described:,} described, {report.known:,} known already, {len(report.failures):,} failed.")
    if report.stopped is not None:
        raise KeywrightError(f"{counted(report.left, 'photo was', 'photos were')} not asked about: {report.stopped}.")
