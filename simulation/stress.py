"""Stresses: assumptions of the simulated world made harder for whoever learns from its log; none by default."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Stress:
    """What is made harder than in the ordinary world.

    ``tie_reach`` is the correlation of every channel's affinity with willingness, in [0, 1]; 0 leaves the ordinary
    affinities, which are correlated as well, but less. With ``hidden_ladder`` the ladder waits on accounts in hardship,
    which no table shows, so that its log is confounded by what is not logged.

    Raises
    ------
    ConfigError : a correlation outside of [0, 1]
    """

    tie_reach: float = 0.0
    hidden_ladder: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.tie_reach <= 1.0:
            raise ConfigError(
                f"tie_reach: found {self.tie_reach}, needed a correlation from 0 to 1; give one in between"
            )


NO_STRESS = Stress()
