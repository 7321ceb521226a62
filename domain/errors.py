"""The ways in which Acerto refuses: each says what was found, what was needed, and the way out."""

from __future__ import annotations


class AcertoError(Exception):
    """Root of every refusal; the command line turns it into exit code 1 and one message."""


class ConfigError(AcertoError):
    """A configuration file that cannot be read as what it should be."""


class DataError(AcertoError):
    """Canonical tables that cannot be used: a table is missing, of the wrong type, or holds critical findings."""


class LedgerError(AcertoError):
    """A ledger in a request that cannot be read; ``pointer`` is the JSON pointer of the place, values never told."""

    def __init__(self, message: str, *, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


class UnknownAccountError(AcertoError):
    """An account was named which the data do not hold."""


class FeatureSchemaMismatchError(AcertoError):
    """A model needs features which this build does not compute."""


class BundleError(AcertoError):
    """A model bundle that is damaged, incomplete, or of another format; ``code`` is a word for what is wrong with it.

    The code names no path and no version, so that a metric or an answer may hold it.
    """

    def __init__(self, message: str, *, code: str = "unusable") -> None:
        super().__init__(message)
        self.code = code


class NotEnoughDataError(AcertoError):
    """There is too little to learn from or to state a value with."""


class WorkerError(AcertoError):
    """Processes or machines that were given work did not finish it; what they did finish is not used."""


class StoreError(AcertoError):
    """The service's store cannot be opened, cannot take what it was given now, or is not what it should be."""


class UsedElsewhereError(StoreError):
    """Another process has used meanwhile what was left of a day; what was chosen on it has to be chosen again."""


class ConflictError(DataError):
    """A row claims the identity of a stored one with another content; ``place`` is its position among those given."""

    def __init__(self, message: str, *, place: int) -> None:
        super().__init__(message)
        self.place = place
