"""``service.yaml``: what the service keeps of each creditor, for how long, and on what ground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, PositiveInt, StringConstraints

from domain.config import load_section
from serving.store.schema import DEFAULT_TENANT

FILE = "service.yaml"
TenantName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class TenantConfig(BaseModel, frozen=True, extra="forbid"):
    """One creditor; without ``retention_days`` nobody is forgotten for want of news."""

    retention_days: PositiveInt | None = None
    legal_basis: str | None = Field(default=None, min_length=1, max_length=500)


class ServiceConfig(BaseModel, frozen=True, extra="forbid"):
    """The whole file."""

    tenants: dict[TenantName, TenantConfig] = {}

    def of(self, tenant: str) -> TenantConfig:
        """What holds for a creditor: its own entry, else that of ``default``."""
        return self.tenants.get(tenant) or self.tenants.get(DEFAULT_TENANT) or TenantConfig()


def load_service_config(configs: Path) -> ServiceConfig:
    """The file of a folder of configurations; where there is none, nothing expires.

    Raises
    ------
    ConfigError : it is there, and wrong
    """
    path = configs / FILE
    return load_section(path, ServiceConfig) if path.is_file() else ServiceConfig()
