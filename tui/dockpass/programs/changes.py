"""Which logins in a config a program changed. Pure."""

from __future__ import annotations

from dockpass.dockerconfig.configfile import ConfigFile
from dockpass.dockerconfig.keys import shown_key
from dockpass.dockerconfig.temporary import is_dummy
from dockpass.programs.events import ConfigChanged
from dockpass.references.credential import Credential


def changes(at: float, before: ConfigFile, after: ConfigFile) -> ConfigChanged | None:
    """Return what became of the logins between two readings of the file; None if nothing did."""
    then, now = _logins(before), _logins(after)
    found = ConfigChanged(
        at,
        added=_shown(now.keys() - then.keys()),
        replaced=_shown({key for key in now.keys() & then.keys() if now[key] != then[key]}),
        removed=_shown(then.keys() - now.keys()),
    )
    return found if found.added or found.replaced or found.removed else None


def _logins(config: ConfigFile) -> dict[str, Credential]:
    found = {key: entry.credential for key, entry in config.entries.items()}
    return {key: login for key, login in found.items() if login is not None and not is_dummy(key, login)}


def _shown(keys: set[str]) -> tuple[str, ...]:
    return tuple(sorted(map(shown_key, keys)))
