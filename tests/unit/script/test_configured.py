"""Packages that load another one because an option names it."""

import pytest

from lambdapack.script.configured import DRIVER_OPTIONS
from lambdapack.script.specifier import ImportCertainty
from lambdapack.script.specifiers import read_specifiers

AT, BRANCH, FUNCTION = ImportCertainty.AT_IMPORT, ImportCertainty.IN_BRANCH, ImportCertainty.IN_FUNCTION


def loaded(text: str, *, module: bool = False) -> dict[str | None, ImportCertainty]:
    script = read_specifiers(text.encode(), module=module)
    own = {"knex", "sequelize", "typeorm", "pino", "@nestjs/typeorm"}
    return {found.text: found.certainty for found in script.specifiers if found.text not in own}


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("const knex = require('knex'); knex({ client: 'pg', connection: process.env.URL })", "pg"),
        ("const db = require('knex')({ 'client': 'mssql', connection: {} })", "tedious"),
        ("const { knex } = require('knex'); module.exports = knex({ client: 'pg', connection })", "pg"),
        ("const { Sequelize } = require('sequelize'); new Sequelize('db', 'me', 'pw', { dialect: 'mysql' })", "mysql2"),
        ("const s = require('sequelize'); new s.Sequelize({ host, dialect: `postgres` })", "pg"),
        ("const { DataSource } = require('typeorm'); new DataSource({ type: 'postgres', url })", "pg"),
        ("const log = require('pino')({ transport: { target: 'pino-pretty' } })", "pino-pretty"),
        ("const pino = require('pino'); pino.transport({ targets: [{ target: 'pino-loki' }] })", "pino-loki"),
    ],
)  # fmt: skip
def test_an_option_that_is_given_at_import_loads_its_package_then(text: str, package: str) -> None:
    assert loaded(text) == {package: AT}


def test_an_option_of_a_module_that_is_given_later_loads_its_package_then() -> None:
    text = "import Knex from 'knex'; export const handler = async () => Knex({ client: 'pg', connection: {} });"
    assert loaded(text, module=True) == {"pg": FUNCTION}
    text = "import { TypeOrmModule } from '@nestjs/typeorm'; TypeOrmModule.forRoot({ type: 'sqlite', database: 'x' });"
    assert loaded(text, module=True) == {"sqlite3": AT}
    assert loaded("const k = require('knex'); if (x) k({ client: 'pg', connection: 1 })")["pg"] is BRANCH


@pytest.mark.parametrize(
    "text",
    [
        "const knex = require('knex'); knex({ client: 'pg' })",  # only builds queries
        "const knex = require('knex'); knex({ client: 'pg', ...rest })",
        "const knex = require('knex'); knex({ client: process.env.CLIENT, connection: {} })",
        "const knex = require('knex'); mail.send({ client: 'pg', connection: {} })",
        "const knex = require('knex'); const config = { client: 'pg', connection: {} }",
        "const { Sequelize } = require('sequelize'); new Sequelize({ dialect: 'mysql', dialectModule: mysql })",
        "const { DataSource } = require('typeorm'); new DataSource({ type: 'mysql', url })",  # mysql or mysql2
        "const { DataSource } = require('typeorm'); new DataSource({ type: 'aurora-postgres' })",
        "const express = require('express'); express.knex({ client: 'pg', connection: {} })",
    ],
)
def test_what_names_no_package_for_sure_loads_none(text: str) -> None:
    assert set(loaded(text)) <= {"express"}


def test_each_package_with_such_an_option_is_looked_for() -> None:
    for option in DRIVER_OPTIONS:
        value = next(iter(option.drivers), "some-target")
        beside = f", {option.beside}: 1" if option.beside else ""
        for package in option.packages:
            text = f"const called = require('{package}'); called({{ {option.key}: '{value}'{beside} }})"
            assert option.driver(value, {option.beside}) in {*loaded(text)}, package
