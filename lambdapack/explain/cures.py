"""Chooses the commands that fix a cause: for this place, this reader, this manager, and never what just ran."""

from dataclasses import dataclass, replace

from lambdapack.book.book import BinaryDelivery, BookEntry, MaintenanceStatus, find_book_entry
from lambdapack.explain.causes import cause_of
from lambdapack.explain.facts.nouns import Reader, Slots, TextFacts
from lambdapack.explain.nouns import Meaning
from lambdapack.explain.translate import repeats_command, translate_command
from lambdapack.explain.words import (
    BOTH_ARCHITECTURES,
    MISSING_WORD,
    ExplainTarget,
    collect_words,
    find_host_architecture,
)
from lambdapack.messages import CLEAN_INSTALL

STATUS_SENTENCES = {
    MaintenanceStatus.DEPRECATED: "its authors have given it up.",
    MaintenanceStatus.DEAD: "nobody looks after it any more.",
}


def render_book_advice(package: str | None) -> str:
    """Return sentences for people, "" for a package that the book does not have."""
    found = find_book_entry(package) if package else None
    if found is None:
        return ""
    parts = (STATUS_SENTENCES.get(found.status, ""), _render_alternatives(found), found.requirements, found.advice)
    said = " ".join(part for part in parts if part)
    return f"{found.name}: {said[0].lower() if parts[0] else said[0]}{said[1:]}" if said else ""


def _render_alternatives(found: BookEntry) -> str:
    native = [name for name in found.replacements if name not in found.javascript_replacements]
    parts = (
        f"Maintained in its place: {', '.join(native)}." if native else "",
        f"Without a binary: {', '.join(found.javascript_replacements)}." if found.javascript_replacements else "",
    )
    return " ".join(part for part in parts if part)


def replacement_command(package: str | None) -> str:
    """Return the command that takes a maintained package in place of one that is given up, "" for others."""
    found = find_book_entry(package) if package else None
    if found is None or found.is_maintained or not found.alternatives:
        return ""
    return f"npm uninstall {found.name} && npm install {found.alternatives[0]}"


def has_platform_packages(package: str | None) -> bool:
    """Whether its binary is a package of its own: then there is nothing to rebuild, only to install again."""
    found = find_book_entry(package) if package else None
    return found is not None and found.delivery is BinaryDelivery.PLATFORM_PACKAGES


@dataclass(frozen=True, slots=True)
class Cure:
    """A remedy with its slots filled."""

    fix: tuple[str, ...]  # commands in the order to try them
    prevent: str  # one sentence


ELECTRON_REBUILD = "npx @electron/rebuild --force --only {package}"

_REBUILT_CAUSES = frozenset(
    (
        "node-abi",
        "electron-abi",
        "not-elf",
        "wrong-cpu",
        "not-an-addon",
        "undefined-symbol",
        "prebuild-missing",
        "musl",
        "wrong-class",
        "node-api-level",
    )
)
"""Causes that a rebuild for the program that loads the addon ends."""


def fill_remedy(
    reading: Meaning, slots: Slots, facts: TextFacts, aim: ExplainTarget, package: str | None, ran: str = ""
) -> Cure:
    """Return the cure of what was read, filled with what is known; a command that lacks its word is left out.

    `ran`: the command that failed, which no cure repeats.
    """
    remedy = reading.record.remedy
    if remedy is None and not reading.fix:
        return Cure((reading.record.fix,), reading.prevent or reading.record.fix)
    architecture = find_host_architecture(cause_of(reading.record), slots, facts)
    if architecture is None and aim.architecture is None and cause_of(reading.record) == "wrong-cpu":
        slots = {**slots, BOTH_ARCHITECTURES: "yes"}
    words = collect_words(slots, replace(facts, architecture=architecture), aim, package)
    templates = [_reinstall_command(command, package) for command in _choose_templates(reading, slots, facts)]
    filled = [command.format_map(words) for command in templates if command]
    if remedy is not None and remedy.replaceable and not reading.fix:
        filled.insert(min(len(filled), 1), replacement_command(package))
    commands = tuple(
        " ".join(translate_command(command, aim.manager or facts.manager).split())
        for command in filled
        if command and MISSING_WORD not in command
    )
    kept = tuple(dict.fromkeys(command for command in commands if command and not repeats_command(command, ran)))
    prevent = reading.prevent or (remedy.prevent if remedy else reading.record.why)
    if cause_of(reading.record) == "symbol-version":
        prevent = f"{words['able']}{prevent}"
    return Cure(kept or _last_resort(reading, words, ran), prevent)


def _choose_templates(reading: Meaning, slots: Slots, facts: TextFacts) -> tuple[str, ...]:
    """The meaning's own commands, else the remedy's for the system; in Electron its own rebuild stands first."""
    remedy = reading.record.remedy
    if reading.fix or remedy is None:
        return reading.fix
    own = remedy.alpine if facts.system == "alpine" else remedy.local if facts.system in {"darwin", "win32"} else ()
    commands = (*own, "{build}") if own else remedy.commands
    if "{tools}" in commands and facts.system:
        commands = ("{tools}", *(command for command in commands if command != "{tools}"))
    is_addon = "program" not in slots
    if is_addon and facts.reader is Reader.ELECTRON and cause_of(reading.record) in _REBUILT_CAUSES:
        return (ELECTRON_REBUILD, CLEAN_INSTALL, *(command for command in commands if command != ELECTRON_REBUILD))
    return commands


def _last_resort(reading: Meaning, words: dict[str, str], ran: str) -> tuple[str, ...]:
    """Where every command is what just ran: a look at the record, and at what is there."""
    look = words["verify"]
    known = f"lambdapack explain {reading.record.code}"
    return (known,) if repeats_command(look, ran) else (look, known)


def _reinstall_command(command: str, package: str | None) -> str:
    """There is nothing to rebuild where the binary is a package of its own."""
    is_rebuild = command.startswith("npm rebuild {package}") and "--ignore-scripts" not in command
    if is_rebuild and has_platform_packages(package):
        return "npm uninstall {package} && npm install {package}"
    if command == "npm install {package}@latest" and find_book_entry(package or "") is None:
        return "npm update {package}"  # a name that no list knows is never asked of a public registry
    return command
