'use strict'

const ms = require('ms')

/** Turns event.duration, such as "2 days", into milliseconds. */
exports.handler = async (event) => ({ milliseconds: ms(event.duration), arch: process.arch })
