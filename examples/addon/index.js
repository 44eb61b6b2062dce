'use strict'

const checksum = require('checksum')

/** Returns the Adler-32 checksum of event.text. */
exports.handler = async (event) => {
  return { adler32: checksum.adler32(Buffer.from(event.text)), arch: process.arch }
}
