"""How Lambda, its API and its tools refuse code, and how lambdapack names its own records."""

from lambdapack.explain.facts.nouns import FactKind
from lambdapack.explain.nouns import MessagePattern
from lambdapack.messages import Rank

PATTERNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "the Lambda API",
        "Code uncompressed size is greater than max allowed size of 272629760.",
        r"[Uu]ncompressed size is greater than (?:the )?max(?:imum)? allowed size(?: of (?P<bytes>\d+))?"
        r"|[Uu]nzipped size (?:must be (?:smaller|less) than|is (?:larger|greater|bigger) than|exceeds?)"
        r"(?:[^\n\d]{0,40}(?P<bytes2>\d{6,}))?"
        r"|(?:combined with layers|[Ll]ayers? (?:unzipped )?size|[Ll]ayers consume)[^\n]{0,60}(?:exceed|more than"
        r"|larger)"
        r"(?:[^\n\d]{0,60}(?P<bytes3>\d{6,}))?"
        r"|(?:package|bundle|function|zip|artifact)[^\n]{0,60}(?:exceeds?|larger than|over)[^\n]{0,40}(?:250|262) "
        r"?M[Bi]"
        r"|Layer conversion failed: Layer unzipped size",
        (
            "ncompressed",
            "nzipped",
            "combined",
            "ayer",
            "exceed",
            "larger",
            "over",
            "conversion",
        ),
        FactKind.SIZE_REFUSED,
    ),
    MessagePattern(
        "the Lambda API",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
        r"Could not unzip uploaded file|InvalidZipFileException",
        ("unzip", "InvalidZipFileException"),
        FactKind.CODE_REFUSED,
    ),
    MessagePattern(
        "the Lambda API",
        "Lambda function architecture x86_64 doesn't match layer compatible architectures [arm64]",
        r"(?P<said>(?:function )?architectures? \W?(?P<needs>x86_64|arm64)\W?[^\n]{0,80}?(?:does ?n[o']t match|not "
        r"(?:compatible|supported)|incompatible|mismatch)[^\n]{0,80}?(?P<has>x86_64|arm64)?)"
        r"|image[^\n]{0,80}?(?:was built for|has (?:the )?architecture) (?P<has2>\w+)[^\n]{0,60}?(?P<needs2>x86_64"
        r"|arm64)",
        ("rchitecture", "image"),
        FactKind.CODE_REFUSED,
    ),
    MessagePattern(
        "lambdapack",
        "error[LP111]: a native addon did not compile",
        r"\b(?:error|warning|note|fail|certain|likely|possible)\[(?P<code>LP\d{3})\]"
        r"|^(?P<code2>LP\d{3})(?:: |$)|\b(?P<code5>LP\d{3}) (?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)\b|\"code\": "
        r"?\"(?P<code3>LP\d{3})\"|\|\s*(?P<code4>LP\d{3})\s*\|",
        ("LP",),
        FactKind.OWN_RECORD,
        Rank.ROOT,
    ),
)
