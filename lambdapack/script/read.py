"""Reads the facts of one JavaScript file. A syntax that the grammar does not know gives no facts."""

from lambdapack.script.commonjs import find_required_files, read_commonjs_exports
from lambdapack.script.modules import find_commonjs_identifier, find_module_syntax, read_module_exports
from lambdapack.script.parse import MAX_SCRIPT_BYTES, JavaScriptSource, Script


def read_script(path: str, data: bytes) -> Script | None:
    """Return the facts of a script, None when it is too long or has syntax that is not understood."""
    if len(data) > MAX_SCRIPT_BYTES:
        return None
    source = JavaScriptSource(data.removeprefix(b"\xef\xbb\xbf"))
    if source.has_errors:
        return None
    module = find_module_syntax(source)
    if module is None:
        plain = read_commonjs_exports(source)
        names, complete = plain.names, plain.complete
    else:
        named = read_module_exports(source)
        names, complete = named.names, named.complete
    required = tuple(find_required_files(source))
    return Script(path, module, find_commonjs_identifier(source), frozenset(names), complete, required)
