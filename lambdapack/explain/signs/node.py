"""What node prints about an addon that the loader has opened (src/node_binding.cc, src/node_api.cc)."""

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import (
    CERTAIN,
    FILE,
    LIKELY,
    POSSIBLE,
    QUOTED,
    ROOT,
    SYMPTOM,
    compile_pattern,
    message_pattern,
)
from lambdapack.runtimes.versions import describe_abi, electron_majors

NODE_SPEAKER = "node"


def abi_mismatch(slots: Slots) -> Meaning:
    """Both numbers become versions; one of Electron's makes it Electron's trouble."""
    found, wanted = int(slots["abi"]), int(slots["wanted"])
    said = f"{{file}} was compiled for {_abi_name(found)}, and {_abi_name(wanted)} runs it"
    electron = electron_majors(found) or electron_majors(wanted)
    return Meaning("electron-abi" if electron else "node-abi", CERTAIN, said)


def _abi_name(abi: int) -> str:
    return f"{describe_abi(abi)} (NODE_MODULE_VERSION {abi})"


def partial_abi_mismatch(slots: Slots) -> Meaning:
    """A line of the message without the rest."""
    found = int(slots["abi"]) if "abi" in slots else None
    named = f" than {_abi_name(found)}" if found else ""
    cause = "electron-abi" if found and electron_majors(found) else "node-abi"
    return Meaning(cause, LIKELY, f"{{file}} was compiled for another Node.js{named} than the one that runs it")


def missing_registration(slots: Slots) -> Meaning:
    """Node looked for every form of registration and found none for itself."""
    del slots
    other = Meaning("node-abi", POSSIBLE, "{file} registers for another Node.js only, or was loaded twice (Worker)")
    return Meaning("not-an-addon", LIKELY, "{file} does not register with this Node.js", (other,))


SIGNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        NODE_SPEAKER,
        "The module '/a/a.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 93. "
        "This version of Node.js requires\nNODE_MODULE_VERSION 115.",
        compile_pattern(
            rf"(?:{QUOTED.format('file')}\s+)?was compiled against a different Node\.js version using "
            r"NODE_MODULE_VERSION (?P<abi>\d+)\W+This version of Node\.js requires NODE_MODULE_VERSION (?P<wanted>\d+)"
        ),
        abi_mismatch,
        ROOT,
    ),
    MessagePattern(
        NODE_SPEAKER,
        "Module version mismatch. Expected 48, got 46.",
        compile_pattern(r"Module version mismatch\. (?:Expected|Required) (?P<wanted>\d+), (?:got|found) (?P<abi>\d+)"),
        abi_mismatch,
        ROOT,
    ),
    MessagePattern(
        NODE_SPEAKER,
        "compiled against NODE_MODULE_VERSION 93, requires 115",
        compile_pattern(
            r"NODE_MODULE_VERSION (?P<abi>\d+)[^\n\d]{1,80}?(?:NODE_MODULE_VERSION )?(?P<wanted>\d{2,3})\b"
        ),
        abi_mismatch,
    ),
    MessagePattern(
        NODE_SPEAKER,
        "was compiled against a different Node.js version using NODE_MODULE_VERSION",
        compile_pattern(
            rf"(?:{QUOTED.format('file')}\s+)?was compiled against a different Node\.js version"
            r"(?: using NODE_MODULE_VERSION(?: (?P<abi>\d+))?)?"
        ),
        partial_abi_mismatch,
        SYMPTOM,
    ),
    MessagePattern(
        NODE_SPEAKER,
        "Error: Module did not self-register: '/a/a.node'.",
        compile_pattern(rf"Module did not self-register(?:: \W?{FILE})?"),
        missing_registration,
    ),
    message_pattern(
        NODE_SPEAKER,
        "Error: Module has no declared entry point. { code: 'ERR_DLOPEN_FAILED' }",
        r"Module has no declared entry point",
        "not-an-addon",
        CERTAIN,
        "{file} registers nothing that node could call",
    ),
    message_pattern(
        NODE_SPEAKER,
        "Error: Loading non context-aware native module in renderer: '/a/a.node'",
        rf"Loading non[-\x20]context-aware native (?:module|addon)[^:\n]*:\s*['\"`]?{FILE}"
        r"|ERR_NON_CONTEXT_AWARE_DISABLED",
        "not-an-addon",
        CERTAIN,
        "{file} cannot be loaded a second time in one process: it is not context-aware",
    ),
    message_pattern(
        NODE_SPEAKER,
        "Cannot load native addon because loading addons is disabled.",
        r"Cannot load native addon because loading addons is disabled|\bERR_DLOPEN_DISABLED\b",
        "permissions",
        CERTAIN,
        "node was started with --no-addons (or without --allow-addons), so no native addon is loaded",
    ),
    message_pattern(
        NODE_SPEAKER,
        "a requires Node-API version 10, but this version of Node.js only supports version 9 add-ons.",
        r"(?:(?P<file>\S+) )?requires Node-API version (?P<needs>\d+), but this version of Node\.js only supports"
        r" version (?P<has>\d+) add-ons",
        "node-api-level",
        CERTAIN,
        "{file} needs Node-API {needs}, and this Node.js has {has}",
        ROOT,
    ),
    message_pattern(
        "node-pre-gyp",
        "The N-API version of this Node instance is 1. This module supports N-API version(s) 3.",
        r"N(?:ode)?-API version of this Node instance is (?P<has>\d+)\W+This module supports N(?:ode)?-API version\(s\)"
        r" (?P<needs>\d[\d,\x20]*)",
        "node-api-level",
        CERTAIN,
        "the package needs Node-API {needs}, and this Node.js has {has}",
        ROOT,
    ),
    message_pattern(
        "node-pre-gyp, prebuild-install",
        "This Node instance does not support builds for N-API version 3",
        r"does not support builds for N(?:ode)?-API version (?P<needs>\d+)"
        r"|N(?:ode)?-API version (?P<needs2>\d+) is not supported",
        "node-api-level",
        CERTAIN,
        "the package needs Node-API {needs}, which this Node.js does not have",
        ROOT,
    ),
)
