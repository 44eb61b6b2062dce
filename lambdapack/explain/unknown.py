"""Says of a text without a diagnosis which facts were read, what it is instead, and the one question that decides."""

import re

from lambdapack.explain.facts.nouns import Reader, TextFacts

OTHER_TROUBLES: tuple[tuple[str, str], ...] = (
    (r"Task timed out after|Sandbox\.Timedout|Status: timeout", "the function took longer than its time limit"),
    (r"AccessDenied|is not authorized to perform", "an IAM policy does not allow the call"),
    (r"TooManyRequests|ThrottlingException|Rate exceeded", "AWS limits the rate of calls"),
    (r"ENOTFOUND|EAI_AGAIN|getaddrinfo", "a host name could not be resolved"),
    (r"ECONNREFUSED|ECONNRESET|ETIMEDOUT|socket hang up|connect timeout", "a network connection failed"),
    (r"CERT_|SELF_SIGNED|UNABLE_TO_VERIFY|certificate", "a TLS certificate is not trusted"),
    (
        r"\bEINTEGRITY\b|integrity checksum failed",
        "a download is not what the lockfile says: a cache or a proxy changed it",
    ),
    (r"\bERESOLVE\b|unable to resolve dependency tree|peer dep", "peer dependencies contradict each other"),
    (
        r"\bEBADENGINE\b|UNSUPPORTED_ENGINE|engine \"node\" is incompatible",
        "`engines` of a package refuses this Node.js",
    ),
    (r"error TS\d+|TSError", "the TypeScript compiler refuses the code"),
    (r"\bENOSPC\b|no space left on device", "the disk is full"),
    (r"heap out of memory|OutOfMemory", "the process used up its memory"),
    (r"(?:Type|Reference|Range|Syntax|Validation|Assertion)Error\b", "the code itself failed"),
)
"""What a text is where it is not about packaging: the first that fits is named."""


def name_other_trouble(text: str) -> str:
    """Return what a text is about instead, as a clause; "" when nothing says it."""
    return next((clause for pattern, clause in OTHER_TROUBLES if re.search(pattern, text)), "")


def find_question(text: str, facts: TextFacts) -> str:
    """Return the one question whose answer decides what the trouble is."""
    if clause := name_other_trouble(text):
        return f"This reads as: {clause}. Is there a line about a module, a binary or a program above it?"
    if ".node" in text:
        return "What does the line say that names the .node file? The loader's reason stands behind its path."
    if re.search(r"exit(?:ed)?(?: with)?(?: code| status)?:? \d|ELIFECYCLE|Command failed", text):
        return "What did the program print in the lines before it ended?"
    if facts.reader is Reader.LAMBDA:
        return "What do `errorMessage` and the first lines of the stack in the function's log say?"
    if facts.manager:
        return f"Which lines did {facts.manager} print before this one, and which command was it?"
    return "Which program printed this, where did it run (laptop, CI, Lambda), and what stands in the lines before it?"
