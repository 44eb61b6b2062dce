import Database from 'better-sqlite3'

/** Sums event.numbers in SQL and tells which SQLite did it. */
export const handler = async (event) => {
  const database = new Database(':memory:')
  database.exec('create table number (value integer)')
  const insert = database.prepare('insert into number values (?)')
  for (const value of event.numbers) insert.run(value)
  const { sum } = database.prepare('select sum(value) as sum from number').get()
  const { version } = database.prepare('select sqlite_version() as version').get()
  return { sum, version, arch: process.arch }
}
