'use strict'
// Written by `lambdapack init --cdk`; yours to change.
//
//   const { packaged } = require('./lambdapack-code')
//   const target = { runtime: lambda.Runtime.NODEJS_22_X, architecture: lambda.Architecture.ARM64 }
//   new lambda.Function(this, 'Function', { ...target, handler: 'index.handler', code: packaged('functions/name', target) })

const path = require('node:path')
const { Code } = require('aws-cdk-lib/aws-lambda')

/**
 * The deployment package of a directory with package.json and package-lock.json. It is built and judged at synth; one
 * that would not load on Lambda fails it. The asset's hash follows the content alone.
 */
function packaged (directory, { runtime, architecture }) {
  const output = path.resolve(directory, '.lambdapack', `cdk-${runtime.name}-${architecture.name}.zip`)
  return Code.fromCustomCommand(output, [
    'lambdapack', 'build', directory,
    '--runtime', runtime.name, '--arch', architecture.name, '--output', output, '--quiet'
  ])
}

module.exports = { packaged }
