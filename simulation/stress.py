"""Stresses: assumptions of the simulated world made harder for whoever learns from its log; none by default."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Stress:
    """What is made harder than in the ordinary world.

    ``tie_reach`` is the correlation of willingness with what debtors add to the reach of every channel, in [0, 1]. By
    default it is as assumed, 0.41 to 0.47 by channel; 0 parts the two. With ``hidden_ladder`` the ladder waits on
    accounts in hardship. That state is in no table, though a debtor may speak of it, so that the log is confounded by
    what is not logged.

    Raises
    ------
    ConfigError : a correlation outside of [0, 1]
    """

    tie_reach: float | None = None
    hidden_ladder: bool = False

    def __post_init__(self) -> None:
        if self.tie_reach is not None and not 0.0 <= self.tie_reach <= 1.0:
            raise ConfigError(
                f"tie_reach: found {self.tie_reach}, needed a correlation from 0 to 1; give one in between, or none"
            )


NO_STRESS = Stress()
