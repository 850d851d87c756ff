"""The options that say which GitLab project is asked, with which token. Every start of `vars` loads them."""

from __future__ import annotations

import click

from dockpass.cli.facts_options import Decorated, applied


def gitlab_options(function: Decorated) -> Decorated:
    """Options of whatever may ask a GitLab server."""
    return applied(
        [
            click.option(
                "--project",
                metavar="PROJECT",
                help="The GitLab project: path, ID or URL; from the git remote by default.",
            ),
            click.option(
                "--token-from",
                metavar="REFERENCE",
                help="Where to get the token: env:NAME, file:PATH, cmd:COMMAND or prompt;"
                " by default GITLAB_TOKEN, then glab's login.",
            ),
            click.option("--yes", is_flag=True, help="Contact the server without asking first."),
            click.option("--ca-file", metavar="FILE", help="Also trust the CAs in this PEM file."),
            click.option("--no-proxy", is_flag=True, help="Ignore HTTP_PROXY and HTTPS_PROXY."),
        ],
        function,
    )
