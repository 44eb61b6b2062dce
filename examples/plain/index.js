'use strict'

const ms = require('ms')

/** Turns event.duration, such as "2 days", into milliseconds; a day where an event has none. */
exports.handler = async (event) => ({ milliseconds: ms(event.duration ?? '1 day'), arch: process.arch })
