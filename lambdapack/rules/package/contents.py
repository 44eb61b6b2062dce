"""Size, links, modes and secrets of the package. Never reads a file."""

import posixpath
import shlex
from collections.abc import Iterator
from typing import Final

from lambdapack.model import LAYER_ROOT, MIB, TASK_ROOT, Finding, Rule, Severity, is_in_node_modules
from lambdapack.packages.tree_locks import is_unused_link
from lambdapack.rules.model.case import Case
from lambdapack.rules.model.package import PackageFacts
from lambdapack.rules.model.report import Subject
from lambdapack.rules.package.records import NEEDS_BUCKET, NOT_READABLE, TOO_BIG
from lambdapack.tree.entry import Entry, EntryKind

MAX_UNZIPPED_BYTES: Final = 250 * MIB
"""Bytes of function code and all its layers, unzipped: "Unzipped size must be smaller than 262144000 bytes".

Source: AWS Lambda developer guide, "Lambda quotas". Read 2026-11-20.
"""

MAX_ZIPPED_BYTES: Final = 50 * MIB
"""Bytes of a zip sent with the request itself: "Zipped size must be smaller than 52428800 bytes".

Source: AWS Lambda developer guide, "Lambda quotas". Read 2026-11-20.
"""

LINK_LEAVES_TREE = Rule(
    "LP304",
    "link-leaves-tree",
    "a symbolic link leaves the package",
    "The link is stored as it is; in Lambda it points at nothing.",
    "Replace your own link with a copy of its target (`cp -RL`); let the package manager install without links: "
    "`pnpm --filter NAME deploy --prod --legacy OUT`, `npm install --install-links`.",
    Severity.ERROR,
)
SECRET_PACKED = Rule(
    "LP305",
    "secret-packed",
    "a secret is in the package",
    "Anyone who is allowed to download the function's code can read it.",
    "Leave it out with `.lambdapackignore`, and read it from Secrets Manager or SSM at run time.",
    Severity.ERROR,
)
SOURCE_KEPT = Rule(
    "LP327",
    "source-kept",
    "an install script wrote a file that the function has itself",
    "What ships is the function's own file: a script that runs while dependencies are installed never replaces it.",
    "Remove the file from the source (`git rm FILE`), or write it before the build.",
    Severity.WARNING,
)
OVER_MAX_SIZE = Rule(
    "LP335",
    "over-max-size",
    "the zip is larger than max-size",
    "The project itself sets this limit, below those of Lambda.",
    "See `lambdapack inspect` for what takes the space; `--prune types,maps,tests,docs` and `--strip` leave out more.",
    Severity.ERROR,
)

MAX_EVIDENCE_PATHS = 20
"""How many paths a finding about many files carries as evidence."""


def check_size(case: Case) -> Iterator[Finding]:
    """Yield the package's size where it is above a limit."""
    return size_findings(case.subject, case.facts)


def size_findings(subject: Subject, facts: PackageFacts) -> Iterator[Finding]:
    """Yield the sizes above a limit; only the given layers count."""
    own = subject.unzipped_bytes if subject.unzipped_bytes is not None else _total_bytes(facts)
    layers = sum(_total_bytes(layer) for layer in facts.layers)
    if own + layers > MAX_UNZIPPED_BYTES:
        parts = f"{own} bytes of its own and {layers} of layers" if layers else f"{own} bytes"
        message = f"the unzipped size is {parts}, the limit is {MAX_UNZIPPED_BYTES}"
        evidence = (("bytes", own), ("layers", layers), ("limit", MAX_UNZIPPED_BYTES))
        yield Finding(TOO_BIG, "", message, evidence=evidence)
    if (subject.zip_bytes or 0) > MAX_ZIPPED_BYTES and subject.kind != "function":  # a function is uploaded already
        message = f"the zip has {subject.zip_bytes} bytes, the limit of a direct upload is {MAX_ZIPPED_BYTES}"
        yield Finding(NEEDS_BUCKET, "", message, evidence=(("bytes", subject.zip_bytes), ("limit", MAX_ZIPPED_BYTES)))


def max_size_findings(subject: Subject, largest: int | None) -> Iterator[Finding]:
    """Yield the size of the zip where it is above the project's own limit."""
    if largest is not None and (subject.zip_bytes or 0) > largest:
        message = f"the zip has {subject.zip_bytes} bytes, max-size is {largest}"
        yield Finding(OVER_MAX_SIZE, "", message, evidence=(("bytes", subject.zip_bytes), ("limit", largest)))


def _total_bytes(facts: PackageFacts) -> int:
    return sum(entry.size for entry in facts.entries.values())


def check_links(case: Case) -> Iterator[Finding]:
    """Yield every link that leads neither into the package nor to where Lambda puts functions and layers."""
    facts = case.facts
    for tree in (facts, *facts.layers):
        for path, entry in tree.entries.items():
            if entry.kind is EntryKind.SYMLINK and _leaves_tree(tree.root, entry) and not is_unused_link(entry):
                message = f"it points to {entry.target}"
                place = path if tree is facts else posixpath.join(tree.root, path)
                fix = _link_fix(entry, case)
                yield Finding(LINK_LEAVES_TREE, place, message, fix=fix, evidence=(("target", entry.target),))


def _link_fix(entry: Entry, case: Case) -> str:
    """Advise what works: a copy of one of pnpm's packages would find none of its own dependencies."""
    if not is_in_node_modules(entry.path):
        return f"Replace it with a copy of its target: `cp -RL {entry.path} COPY`."
    target = case.runtime.target
    root = f"`lambdapack build ROOT --no-install --handler DIRECTORY/FILE.handler --runtime {target.runtime} --arch"
    root = f"pack the directory that holds both: {root} {target.architecture.aws}`"
    if case.facts.locks.manager == "pnpm" or "/.pnpm/" in entry.target:
        manifest = case.facts.manifests.get("")
        name = shlex.quote(manifest.name) if manifest and manifest.name else "NAME"
        return f"Run `pnpm --filter {name} deploy --prod --legacy OUT` and pack OUT, or {root}."
    if case.facts.locks.manager:
        return f"It is a link to a member of the workspace: {root}."
    return f"Run `npm install --install-links` for a file: dependency; for a member of a workspace {root}."


def _leaves_tree(root: str, entry: Entry) -> bool:
    here = posixpath.join(root, posixpath.dirname(entry.path))
    end = posixpath.normpath(posixpath.join(here, entry.target))
    kept = (root,) if not entry.target.startswith("/") else (TASK_ROOT, LAYER_ROOT)
    return not any(end == directory or end.startswith(f"{directory}/") for directory in kept)


def check_modes(case: Case) -> Iterator[Finding]:
    """Yield one finding for all files and directories that others may not read; a mode of 0 is an unknown one."""
    facts = case.facts
    for tree in (facts, *facts.layers):
        closed = [path for path, entry in tree.entries.items() if entry.mode and _is_unreadable(entry)]
        if closed:
            more = f"; the same with {len(closed) - 1} more" if len(closed) > 1 else ""
            mode = tree.entries[closed[0]].mode
            message = f"its mode is {mode:04o}, so Lambda's user may not read it{more}"
            evidence = (("count", len(closed)), ("paths", closed[:MAX_EVIDENCE_PATHS]))
            severity = Severity.NOTE if tree is facts and case.subject.kind == "directory" else None
            place = closed[0] if tree is facts else posixpath.join(tree.root, closed[0])
            yield Finding(NOT_READABLE, place, message, severity=severity, evidence=evidence)


def _is_unreadable(entry: Entry) -> bool:
    if entry.kind is EntryKind.SYMLINK:
        return False
    wanted = 0o005 if entry.kind is EntryKind.DIRECTORY else 0o004
    return entry.mode & wanted != wanted


def check_secrets(case: Case) -> Iterator[Finding]:
    """Yield every secret in the files that would be packed."""
    for secret in case.facts.secrets:
        message = f"it holds what looks like {secret.kind}"
        yield Finding(SECRET_PACKED, secret.path, message, line=secret.line, evidence=(("kind", secret.kind),))


def check_kept_sources(case: Case) -> Iterator[Finding]:
    """Yield a warning for each file that an allowed script wrote with other content than the source's."""
    for path, author in case.facts.kept_sources:
        yield Finding(
            SOURCE_KEPT,
            path,
            f"the {author} wrote {path}; the one of the source is packed",
            evidence=(("author", author),),
        )
