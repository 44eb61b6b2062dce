"""What it means that a registry, git, a protocol, a manager or a lockfile refuses."""

import re
from collections.abc import Mapping

from lambdapack.errors.build import REGISTRY_REFUSED
from lambdapack.explain.facts.nouns import FactKind, Slots, TextFacts
from lambdapack.explain.nouns import Conclusion, Meaning
from lambdapack.messages import Certainty
from lambdapack.rules.lockfile.records import FOREIGN_PROTOCOL, GIT_DEPENDENCY, LOCK_MISSING, LOCK_OUT_OF_STEP


def conclude_refused_registry(slots: Slots, facts: TextFacts) -> Meaning | None:
    """The name and the code: a 404 of a scope is a private name that was asked for in the wrong place."""
    code = re.sub(r"\D", "", slots.get("code", ""))
    module = _refused_name(slots)
    if not facts.manager and not facts.is_manager_run and code:
        return None
    if code == "404" or slots.get("code") == "Not found":
        if not module or not module.startswith("@"):
            return None  # a slip of the pen as well as a private name
        says = f"{module} is not in the registry that was asked: it is private, and its scope is sent to the wrong one"
        fix = ("npm config get {scope}registry", "npm whoami {registry}")
        return Meaning(REGISTRY_REFUSED, Certainty.LIKELY, says, package=module, fix=fix)
    said = {"401": "knows no valid token", "403": "does not allow this token"}.get(code, "wants a valid token")
    says = f"the registry {said} for {module or 'this request'}: .npmrc or its variable is not there, or is expired"
    return Meaning(
        REGISTRY_REFUSED,
        Certainty.CERTAIN if code != "403" else Certainty.LIKELY,
        says,
        package=module or "",
        fix=("npm whoami {registry}", "npm config get {scope}registry", "npm login {registry}"),
    )


def _refused_name(slots: Slots) -> str | None:
    """Return the package that was asked for: named, or in the URL of its manifest or tarball."""
    named = re.sub(r"%2[fF]", "/", slots.get("module", "")).strip(":")
    url = re.sub(r"%2[fF]", "/", slots.get("url", ""))
    scoped = re.search(r"@[\w.-]+/[\w.-]+", url)
    plain = re.search(r"([\w.-]+)/-/|/([\w.-]+)$", url)
    inside = scoped[0] if scoped else next((part for part in plain.groups() if part), "") if plain else ""
    return named or inside or None


def conclude_refused_git(slots: Slots, facts: TextFacts) -> Meaning | None:
    """Git's own words count where a package manager called it."""
    said, fix = slots.get("said", ""), _git_commands(slots.get("said", ""), facts)
    if said and not facts.manager and not facts.is_manager_run:
        return None
    if "publickey" in said or "Host key" in said or "authenticity" in said or "Username" in said:
        says = "a dependency comes from git, and the key or the host key for it is not here"
    elif said:
        says = "a dependency comes from git, and the repository refuses to give it"
    else:
        says = "a dependency comes from git, and git or the access to its repository is not here"
    return Meaning(GIT_DEPENDENCY, Certainty.CERTAIN, says, package="", fix=fix)


def _git_commands(said: str, facts: TextFacts) -> tuple[str, ...]:
    """What gives the access that is missing: git itself, the host's key, or the own key."""
    host = facts.git_host or "github.com"
    listed = "npm query ':attr([resolved^=git])'"
    if "Host key" in said or "authenticity" in said:
        return (f"ssh-keyscan {host} >> ~/.ssh/known_hosts", listed)
    if said:
        https = f"git config --global url.https://{host}/.insteadOf ssh://git@{host}/"
        return (f"ssh -T git@{host}", https, listed)
    install = {"alpine": "apk add --no-cache git openssh-client", "darwin": "xcode-select --install"}
    install |= {"win32": "winget install Git.Git", "rhel": "sudo dnf install -y git"}
    return (install.get(facts.system, "sudo apt-get install -y git"), listed)


def conclude_refused_protocol(slots: Slots, facts: TextFacts) -> Meaning | None:
    """One manager reads what only another one understands."""
    protocol, module = slots.get("protocol", "workspace"), slots.get("module")
    owner = "pnpm, Yarn or bun" if protocol in {"workspace", "catalog"} else "another manager"
    says = f"{protocol}: in package.json is for {owner}: this manager, or this part of the workspace, cannot follow it"
    manager = facts.manager or "npm"
    fix = ("git ls-files '*pnpm-lock.yaml' '*yarn.lock' '*bun.lock*'", "{build}")
    if manager == "pnpm":
        fix = ("git ls-files '*pnpm-workspace.yaml'", "{build}")
    return Meaning(FOREIGN_PROTOCOL, Certainty.LIKELY, says, package=module or "", fix=fix)


def conclude_refused_manager(slots: Slots, facts: TextFacts) -> Meaning | None:
    """The project names its manager, and another one was called."""
    wanted = slots.get("wanted", "")
    says = (
        f"the project is made for {wanted or 'another package manager'}, and {facts.manager or 'a different one'} ran"
    )
    fix = ("corepack enable", f"{wanted} install") if wanted else ("corepack enable", "npm pkg get packageManager")
    if "packageManager" not in slots.get("said", "packageManager"):
        return None
    return Meaning(FOREIGN_PROTOCOL, Certainty.LIKELY, says, package="", fix=fix)


def conclude_refused_lock(slots: Slots, facts: TextFacts) -> Meaning | None:
    """Lock and manifest disagree; or a tarball is not what the lock says."""
    code = slots.get("code", "")
    if "NO_LOCKFILE" in code or "MISSING" in code:
        says = "there is no lockfile where the install runs"
        return Meaning(LOCK_MISSING, Certainty.CERTAIN, says, package="")
    says = "the lockfile is not up to date with package.json, and the install may not change it"
    del facts
    return Meaning(LOCK_OUT_OF_STEP, Certainty.CERTAIN, says, package="")


CONCLUSIONS: Mapping[FactKind, Conclusion] = {
    FactKind.REGISTRY_REFUSED: conclude_refused_registry,
    FactKind.GIT_REFUSED: conclude_refused_git,
    FactKind.PROTOCOL_REFUSED: conclude_refused_protocol,
    FactKind.MANAGER_REFUSED: conclude_refused_manager,
    FactKind.LOCK_REFUSED: conclude_refused_lock,
}
