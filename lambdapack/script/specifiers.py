"""Reads what a script asks node for: every specifier, its form, and how surely it runs when the script is loaded."""

from collections.abc import Mapping

from lambdapack.script import names
from lambdapack.script.names import rough_specifiers
from lambdapack.script.specifier import LINUX, Platform, ScriptSpecifiers

MAX_PARSED_BYTES = 8 * 1024 * 1024
"""Bytes of a script that are parsed: tree-sitter takes some 53 bytes of memory for each (5 MB: 264 MB, measured)."""


def read_specifiers(
    data: bytes, *, module: bool = False, platform: Platform = LINUX, plain: bool = False
) -> ScriptSpecifiers:
    """Return the specifiers of a script; `module`: it runs as an ES module. Linear in time, bounded in memory.

    `plain`, for files of packages: where every specifier stands in a plain statement, the rest is not parsed, so errors
    in it are not seen.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_PARSED_BYTES:
        return rough_specifiers(data, f"it has more than {MAX_PARSED_BYTES} bytes")
    loaders = names.loaders(data)
    places = names.places(data, loaders)
    if not places:
        return ScriptSpecifiers()
    found = _read_plain(data, places) if plain and not loaders else None
    return found or _read_parsed(data, loaders, platform, places, module=module, installed=plain)


def _read_plain(data: bytes, places: list[int]) -> ScriptSpecifiers | None:
    from lambdapack.script.plain import read_plain_script  # noqa: PLC0415  # a script without specifiers needs no reader

    return read_plain_script(data, places)


def _read_parsed(
    data: bytes, loaders: Mapping[str, str], platform: Platform, places: list[int], *, module: bool, installed: bool
) -> ScriptSpecifiers:
    from lambdapack.script.specifier_reader import SpecifierReader  # noqa: PLC0415  # as above
    from lambdapack.script.syntax import Syntax  # noqa: PLC0415

    syntax = Syntax(data)
    if syntax.tree is None:
        return rough_specifiers(data, "parsing it takes too long")
    return SpecifierReader(syntax, loaders, platform, module=module, installed=installed).read(places)
