"""Remembers what loading gave: addons by the install they come from, an import by all that it can depend on."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from lambdapack.prove.load import LoadResult
from lambdapack.rules.function.loading import LoadError
from lambdapack.store.records import Store

PROOF_KIND = "proofs"
PROOF_VERSION = 2
"""Grows when loading the same files would say something else."""


class ProofRecords:
    """Results of loads in a store; without one nothing is remembered."""

    def __init__(self, store: Store | None) -> None:
        """`store` keeps the records."""
        self._store = store

    def get(self, parts: Iterable[object]) -> tuple[LoadResult, ...] | None:
        """Return what is remembered for the parts, None when nothing is."""
        content = self._store.get(PROOF_KIND, _record_key(parts)) if self._store else None
        if content is None:
            return None
        try:
            rows = json.loads(content)
            return tuple(LoadResult(path, LoadError(**error) if error else None, bound) for path, error, bound in rows)
        except (ValueError, TypeError):
            return None

    def put(self, parts: Iterable[object], results: Sequence[LoadResult]) -> None:
        """Remember results. What took too long may be faster another time."""
        if self._store and not any(result.error and result.error.late for result in results):
            rows = [(result.path, asdict(result.error) if result.error else None, result.bound) for result in results]
            self._store.put(PROOF_KIND, _record_key(parts), json.dumps(rows).encode())


def _record_key(parts: Iterable[object]) -> str:
    """Return a digest: variables among the parts may be secret, and none can be read out of it."""
    return hashlib.sha256(json.dumps([PROOF_VERSION, *parts]).encode()).hexdigest()
