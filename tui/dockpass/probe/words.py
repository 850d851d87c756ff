"""What a probe found, in a word or two with its mark."""

from __future__ import annotations

from collections.abc import Mapping

from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOT_REACHED
from dockpass.probe.model import NO_USABLE_ANSWER, LoginState, Verdict
from dockpass.probe.requirements import Ability

VERDICTS: Mapping[Verdict, str] = {
    Verdict.GRANTED: f"{GLYPH_DONE} granted",
    Verdict.REFUSED: f"{GLYPH_FAILED} refused",
    Verdict.NOT_VISIBLE: f"{GLYPH_LOOK} not visible",
    Verdict.NOT_PROBED: f"{GLYPH_NOT_REACHED} not probed",
    Verdict.UNKNOWN: f"{GLYPH_LOOK} not known",
}
LOGINS: Mapping[LoginState, str] = {
    LoginState.ACCEPTED: f"{GLYPH_DONE} accepted",
    LoginState.REJECTED: f"{GLYPH_FAILED} not accepted",
    LoginState.ANONYMOUS: f"{GLYPH_NOT_REACHED} no login",
    LoginState.NOT_NEEDED: f"{GLYPH_NOT_REACHED} not needed",
    LoginState.WITHHELD: f"{GLYPH_FAILED} not sent",
    LoginState.NOT_PROBED: f"{GLYPH_NOT_REACHED} not probed",
    LoginState.UNSENT: f"{GLYPH_FAILED} not sent",
    LoginState.UNKNOWN: f"{GLYPH_LOOK} {NO_USABLE_ANSWER}",
}
ABILITIES: Mapping[Ability, str] = {
    Ability.CAN: f"{GLYPH_DONE} can",
    Ability.CANNOT: f"{GLYPH_FAILED} cannot",
    Ability.UNKNOWN: f"{GLYPH_LOOK} not known",
}
