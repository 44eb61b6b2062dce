'use strict'

module.exports = require('./build/Release/checksum.node')
