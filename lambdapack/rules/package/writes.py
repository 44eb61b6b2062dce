"""What install scripts wrote where the function has a file of its own. The file of the function ships."""

from collections.abc import Iterator

from lambdapack.model import Finding, Rule, Severity
from lambdapack.rules.model.case import Case

SOURCE_KEPT = Rule(
    "LP327",
    "source-kept",
    "an install script wrote a file that the function has itself",
    "What ships is the function's own file: a script that runs while dependencies are installed never replaces it.",
    "Take the file out of the source (`git rm FILE`), or write it before the build.",
    Severity.WARNING,
)


def check_kept_sources(case: Case) -> Iterator[Finding]:
    """Yield a warning for each file that an allowed script wrote with other content than the source's."""
    for path, author in case.facts.kept_sources:
        yield Finding(
            SOURCE_KEPT,
            path,
            f"the {author} wrote {path}; the one of the source is packed",
            evidence=(("author", author),),
        )
