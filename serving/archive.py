"""Models that decided once and are not served any more, read again from the registry where a record asks for one."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from domain.errors import BundleError
from serving.pointer import bundle_folder

if TYPE_CHECKING:
    from decisioning.bundle import ModelBundle
    from serving.swapping import Read


class Archive:
    """Bundles of a registry by their version; the latest one that was asked for stays in memory.

    ``read`` verifies a bundle as one that is to be served: nothing is parsed that was not checked.
    """

    def __init__(self, registry: Path, *, read: Read) -> None:
        self._registry, self._read = registry, read
        self._latest: ModelBundle | None = None
        self._lock = Lock()

    def bundle(self, version: str, *, model_hash: str) -> ModelBundle:
        """The bundle of a version, which has to be the very model that decided.

        Raises
        ------
        BundleError : it is not there, is refused, or is another model under the same version
        """
        with self._lock:
            if self._latest is None or self._latest.version != version:
                folder = bundle_folder(self._registry, version)
                if folder is None or not folder.is_dir():
                    raise BundleError("the registry does not hold this version any more", code="files")
                self._latest = self._read(folder, seal=None)
            found = self._latest
        if (found.version, found.model_hash) != (version, model_hash):
            raise BundleError("the registry holds another model under this version", code="replaced")
        return found
