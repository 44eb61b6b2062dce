"""Versions of npm in which something begins, and npm's own registry. Data only."""

DEFAULT_REGISTRY = "https://registry.npmjs.org/"
"""npm's own (config/lib/definitions, `registry`), for credentials that an old .npmrc binds to no host."""

CROSS_INSTALL_NPM: tuple[int, int, int] = (10, 1, 0)
"""The oldest npm since which every one takes --os and --cpu (9.9 does, 10.0 does not): its CHANGELOG, read 2026-11."""

LIBC_NPM: tuple[int, int, int] = (10, 3, 0)
"""The oldest npm that takes --libc: CHANGELOG of npm, read 2026-11."""

NODEDIR_NPM: tuple[int, int, int] = (11, 6, 2)
"""The first npm whose node-gyp (11.4) surely reads NODEDIR: its dependency was ^11.4.2 (npm's package.json)."""

INSTALLED_LOCKFILE = "node_modules/.package-lock.json"
"""Where npm 7 and later note in a tree what they have installed there (arborist lib/arborist/reify.js)."""
