"""The wrappers in which bundlers put modules: what runs one, as their output writes it. Looks at text only, once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_RUNS_COMMONJS = re.compile(rb"exports\s*:\s*\{\s*\}\s*\}\s*\)\s*\.\s*exports")
_RUNS_LAZILY = re.compile(rb"\(\s*([\w$]+)\s*=\s*0\s*\)\s*\)")
_DEFINED = re.compile(rb"(?:(?:var|let|const)\s|[,;])\s*([\w$]+)\s*=\s*(?=\()")
"""The helpers of esbuild and rolldown (outputs of 0.28 and 1.3 tried): __commonJS and __esm, also under short names."""

_HELPER_NAMES = frozenset(("__commonJS", "__commonJSMin", "__esm", "__esmMin"))

_MEMBER_CALL = re.compile(rb"\](?:\.call)?\s*\(\s*[\w$]+(?:\.exports)?\s*,\s*[\w$]+(?:\.exports)?\s*,")
_MEMBER = re.compile(rb"(?<![\w$.])([\w$]+)\[\s*([\w$]+)\s*\Z")
"""`modules[id](module, module.exports, load)`: the loader of webpack (4, 5), ncc and turbopack."""

MAX_MEMBER_BYTES = 120
MAX_HELPER_BYTES = 300
MAX_LOADER_BYTES = 4000
MAX_HELPERS = 500
"""Bytes of a name with its index; from a helper's name to what it does; of webpack's loader up to its call. Places."""


@dataclass(frozen=True)  # without slots, for the cached properties
class Bundle:
    """The wrappers of one script; nothing is looked for before it is asked."""

    data: bytes

    def runs_module(self, name: str) -> bool:
        """Tell whether a function makes a function that runs its first argument when it is first called."""
        return name in _HELPER_NAMES or name in self._helpers

    def loader_of(self, registry: str) -> str | None:
        """Return the name of the function that runs a member of a registry of modules: `__webpack_require__`."""
        return self._loaders.get(registry)

    @cached_property
    def _helpers(self) -> frozenset[str]:
        return frozenset(self._found_helpers())

    def _found_helpers(self) -> Iterator[str]:
        for pattern in (_RUNS_COMMONJS, _RUNS_LAZILY):
            for count, match in enumerate(pattern.finditer(self.data)):
                if count >= MAX_HELPERS:
                    return
                before = self.data[max(0, match.start() - MAX_HELPER_BYTES) : match.start()]
                names = _DEFINED.findall(before)
                is_helper = pattern is _RUNS_COMMONJS or re.search(
                    rb"(?<![\w$])" + re.escape(match[1]) + rb"\s*&&", before
                )
                if names and is_helper:
                    yield names[-1].decode()

    @cached_property
    def _loaders(self) -> Mapping[str, str]:
        loaders: dict[str, str] = {}
        for count, call in enumerate(_MEMBER_CALL.finditer(self.data)):
            if count >= MAX_HELPERS:
                break
            match = _MEMBER.search(self.data, max(0, call.start() - MAX_MEMBER_BYTES), call.start())
            if match is None:
                continue
            before = self.data[max(0, match.start() - MAX_LOADER_BYTES) : match.start()]
            declared = re.findall(rb"function\s+([\w$]+)\s*\(\s*" + re.escape(match[2]) + rb"\s*\)", before)
            if declared:
                loaders.setdefault(match[1].decode(), declared[-1].decode())
        return loaders
