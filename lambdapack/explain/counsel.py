"""What the package book adds to a diagnosis: that nobody looks after a package, what it needs, what to take instead."""

from lambdapack.book.page import Delivery, Page, Status
from lambdapack.book.shelf import page

WORDS = {
    Status.DEPRECATED: "its authors have given it up.",
    Status.DEAD: "nobody looks after it any more.",
}


def counsel(package: str | None) -> str:
    """Return sentences for people, "" for a package that the book does not have."""
    found = page(package) if package else None
    if found is None:
        return ""
    parts = (WORDS.get(found.status, ""), _instead(found), found.needs, found.advice)
    said = " ".join(each for each in parts if each)
    return f"{found.name}: {said[0].lower() if parts[0] else said[0]}{said[1:]}" if said else ""


def _instead(found: Page) -> str:
    native = [each for each in found.instead if each not in found.javascript]
    parts = (
        f"Maintained in its place: {', '.join(native)}." if native else "",
        f"Without a binary: {', '.join(found.javascript)}." if found.javascript else "",
    )
    return " ".join(each for each in parts if each)


def replacement(package: str | None) -> str:
    """Return the command that takes a maintained package in place of one that is given up, "" for others."""
    found = page(package) if package else None
    if found is None or found.alive or not found.alternatives:
        return ""
    return f"npm uninstall {found.name} && npm install {found.alternatives[0]}"


def has_platform_packages(package: str | None) -> bool:
    """Whether its binary is a package of its own: then there is nothing to rebuild, only to install again."""
    found = page(package) if package else None
    return found is not None and found.delivery is Delivery.PLATFORM_PACKAGES
