"""What a shell may complete an option's value with. Imports only when a shell asks."""

from collections.abc import Iterable


def runtimes(incomplete: str) -> list[str]:
    """Return the runtimes that begin so."""
    from lambdapack.runtimes.catalogue import identifiers  # noqa: PLC0415

    return _beginning(identifiers(), incomplete)


def architecture(incomplete: str) -> list[str]:
    """Return the architectures that begin so."""
    return _beginning(("arm64", "x86_64"), incomplete)


def architectures(incomplete: str) -> list[str]:
    """Return the same, and the word for both."""
    return _beginning(("all", "arm64", "x86_64"), incomplete)


def severities(incomplete: str) -> list[str]:
    """Return what --fail-on takes."""
    return _beginning(("error", "warning", "note", "never"), incomplete)


def codes(incomplete: str) -> list[str]:
    """Return the codes and names of findings and failures, and the packages of the book."""
    from lambdapack.book import pages  # noqa: PLC0415
    from lambdapack.errors import FAILURES  # noqa: PLC0415
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    known = [*(each.code for each in RULES), *(each.code for each in FAILURES), *sorted(pages())]
    return _beginning(known, incomplete)


def findings(incomplete: str) -> list[str]:
    """Return the codes that --ignore takes."""
    from lambdapack.rules.registry import RULES  # noqa: PLC0415

    return _beginning([each.code for each in RULES], incomplete)


def schemas(incomplete: str) -> list[str]:
    """Return the names that `lambdapack schema` takes."""
    from lambdapack.schema.published import SCHEMAS  # noqa: PLC0415

    return _beginning(SCHEMAS, incomplete)


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [each for each in words if each.startswith(incomplete)]
