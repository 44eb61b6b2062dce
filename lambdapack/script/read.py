"""Reads one script. A text with syntax that the grammar does not know gives no facts: node may know more."""

from lambdapack.script.commonjs import exports_of
from lambdapack.script.facts import LARGEST, Script
from lambdapack.script.modules import commonjs_trace, exported, module_trace
from lambdapack.script.parse import Source
from lambdapack.script.required import required_files


def read_script(path: str, data: bytes) -> Script | None:
    """Return the facts of a script, None when it is too long or has syntax that is not understood."""
    if len(data) > LARGEST:
        return None
    source = Source(data.removeprefix(b"\xef\xbb\xbf"))
    if source.broken:
        return None
    module = module_trace(source)
    if module is None:
        plain = exports_of(source)
        names, complete = plain.names, plain.complete
    else:
        named = exported(source)
        names, complete = named.names, named.complete
    required = tuple(required_files(source))
    return Script(path, module, commonjs_trace(source), frozenset(names), complete, required)
