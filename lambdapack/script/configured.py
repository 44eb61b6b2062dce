"""Packages that load another one because an option names it: knex({ client: "pg" }) requires pg."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DriverOption:
    """An option whose value decides what a package requires as soon as it is called."""

    packages: tuple[str, ...]  # whose callers have the option
    key: str
    callee: re.Pattern[str]  # the function or class that is given the option
    drivers: Mapping[str, str] = field(default_factory=dict)  # value -> package; empty: the value is the package
    beside: str = ""  # nothing is loaded without this option
    instead: str = ""  # with this option the caller brings the package itself

    def driver(self, value: str, others: Collection[str]) -> str:
        """Return the package that a value stands for beside other options, "" for none or where it is not known."""
        if (self.beside and self.beside not in others) or (self.instead and self.instead in others):
            return ""
        if any(name.startswith("...") for name in others):
            return ""
        return self.drivers.get(value, "") if self.drivers else value


DRIVER_OPTIONS = (
    DriverOption(  # knex 3.1.0, lib/dialects/*/index.js, _driver(); loaded where there is a connection (lib/client.js)
        ("knex",), "client", re.compile(r"(?:.*[.])?(?:[kK]nex|default)"),
        {"pg": "pg", "postgres": "pg", "postgresql": "pg", "redshift": "pg", "cockroachdb": "pg", "pgnative": "pg",
         "mysql": "mysql", "mysql2": "mysql2", "sqlite": "sqlite3", "sqlite3": "sqlite3", "mssql": "tedious",
         "better-sqlite3": "better-sqlite3", "oracledb": "oracledb"},
        beside="connection",
    ),
    DriverOption(  # sequelize 6.37.5, lib/dialects/*/connection-manager.js, _loadDialectModule()
        ("sequelize", "sequelize-typescript"), "dialect", re.compile(r"(?:.*[.])?Sequelize"),
        {"postgres": "pg", "mysql": "mysql2", "mariadb": "mariadb", "sqlite": "sqlite3", "mssql": "tedious",
         "oracle": "oracledb", "db2": "ibm_db", "snowflake": "snowflake-sdk"},
        instead="dialectModule",
    ),
    DriverOption(  # typeorm 0.3.20, driver/*/*Driver.js, loadDependencies() of the constructor; mysql has two packages
        ("typeorm", "@nestjs/typeorm"), "type", re.compile(r"(?:.*[.])?(?:DataSource|createConnection|forRoot)"),
        {"postgres": "pg", "cockroachdb": "pg", "sqlite": "sqlite3", "better-sqlite3": "better-sqlite3",
         "mssql": "mssql", "oracle": "oracledb", "mongodb": "mongodb", "sqljs": "sql.js"},
        instead="driver",
    ),
    DriverOption(  # pino 9.5.0, lib/transport.js, fixTarget(): throws where the target cannot be resolved
        ("pino", "nestjs-pino"), "target", re.compile(r"(?:.*[.])?(?:pino|transport|default)"),
    ),
)  # fmt: skip
"""Read in the packages named, 2026-12."""

_NAMES = "|".join(re.escape(name) for option in DRIVER_OPTIONS for name in option.packages).encode()
_KEYS = "|".join(option.key for option in DRIVER_OPTIONS).encode()
_PACKAGES = re.compile(rb"['\"](?:" + _NAMES + rb")['\"]")
_KEY = re.compile(rb"(?<![\w$.])(?:" + _KEYS + rb")(?=['\"]?\s*:\s*['\"`])")
_BOUND = re.compile(
    rb"(?:import|const|let|var)\s+([\w$]+)\s*(?:=\s*(?:[\w$.]+\(\s*)?require\(\s*|from\s*)['\"](" + _NAMES + rb")['\"]"
)
_REQUIRED = re.compile(r"require\(\s*['\"]([^'\"]+)['\"]\s*\)")


def option_places(data: bytes) -> Iterator[int]:
    """Yield where a script that names such a package may give it such an option."""
    named = {match[0][1:-1].decode() for match in _PACKAGES.finditer(data)}
    keys = {option.key for option in DRIVER_OPTIONS if named.intersection(option.packages)}
    if keys:
        yield from (match.start() for match in _KEY.finditer(data) if match[0].decode() in keys)


def bound_packages(data: bytes) -> Mapping[str, str]:
    """Return the names that a script gives to such packages, with the package of each."""
    return {match[1].decode(): match[2].decode() for match in _BOUND.finditer(data)}


def find_driver_option(key: str, callee: str, bound: Mapping[str, str]) -> DriverOption | None:
    """Return the option of a key in the arguments of a call; `bound`: the names that the script gives to packages."""
    required = _REQUIRED.fullmatch(callee)
    package = required[1] if required else bound.get(callee, "")
    for option in DRIVER_OPTIONS:
        if option.key == key and (package in option.packages or option.callee.fullmatch(callee)):
            return option
    return None
