'use strict'

const sharp = require('sharp')

/** Returns a thumbnail of event.image (base64), or of a picture drawn here, as base64 PNG with its measures. */
exports.handler = async (event) => {
  const width = event.width ?? 64
  const source = event.image
    ? sharp(Buffer.from(event.image, 'base64'))
    : sharp({ create: { width: 640, height: 480, channels: 3, background: '#ff9900' } })
  const { data, info } = await source.resize({ width }).png().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, format: info.format, arch: process.arch, png: data.toString('base64') }
}
