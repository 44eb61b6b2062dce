'use strict'

const bcrypt = require('bcrypt')

/** Hashes event.password and says whether the hash matches it, and whether it matches something else. */
exports.handler = async (event) => {
  const hash = await bcrypt.hash(event.password, 4)
  return {
    matches: await bcrypt.compare(event.password, hash),
    other: await bcrypt.compare(`${event.password}!`, hash),
    scheme: hash.slice(0, 7),
    arch: process.arch,
  }
}
