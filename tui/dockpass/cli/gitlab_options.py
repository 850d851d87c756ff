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
                help="The GitLab project: a path, a number or an address; the git remote's if not given.",
            ),
            click.option(
                "--token-from",
                metavar="REFERENCE",
                help="Where the token is: env:NAME, file:PATH, cmd:COMMAND or prompt;"
                " GITLAB_TOKEN or glab's login if not given.",
            ),
            click.option("--yes", is_flag=True, help="Ask that server without a question."),
            click.option("--ca-file", metavar="FILE", help="Trust the CAs in this PEM file too."),
            click.option(
                "--no-proxy", is_flag=True, help="Use no proxy, whatever HTTP_PROXY and HTTPS_PROXY say."
            ),
        ],
        function,
    )
