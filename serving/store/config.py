"""``service.yaml``: what the service keeps of each creditor, for how long, and on what ground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, PositiveInt, StringConstraints

from domain.config import load_section
from serving.tenants import DEFAULT_TENANT, TENANT_PATTERN

FILE = "service.yaml"
TenantName = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]


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
