// One invocation: context, the three kinds of handler (promise, callback, streaming), and its answer as bytes.

import { Writable } from "node:stream";
import { finished } from "node:stream/promises";

import { RuntimeError } from "./errors.mjs";

const PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response";
const PRELUDE_END = Buffer.alloc(8);

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const trace = headers["lambda-runtime-trace-id"];
  if (trace) process.env._X_AMZN_TRACE_ID = trace;
  else delete process.env._X_AMZN_TRACE_ID;
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    clientContext: parsed(headers["lambda-runtime-client-context"]),
    identity: parsed(headers["lambda-runtime-cognito-identity"]),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

const parsed = (header) => (header ? JSON.parse(header) : undefined);

export async function invoke(handler, event, headers, { callbacks }) {
  const context = contextOf(headers);
  const result = callbacks ? await withCallback(handler, event, context) : await handler(event, context);
  return { body: serialized(result) };
}

function serialized(result) {
  try {
    return JSON.stringify(result === undefined ? null : result);
  } catch {
    throw new RuntimeError("JSONStringifyError", "Unable to stringify response body");
  }
}

// A callback's answer waits until the event loop is empty, unless the handler says otherwise; a handler that
// neither answers nor returns a promise answers null when nothing is left to do.
function withCallback(handler, event, context) {
  return new Promise((resolve, reject) => {
    const idle = (value) => {
      process.removeAllListeners("beforeExit");
      process.once("beforeExit", () => resolve(value));
    };
    const done = (error, value) => {
      process.removeAllListeners("beforeExit");
      if (error === undefined || error === null) resolve(value);
      else reject(error);
    };
    const callback = (error, value) => {
      if ((error === undefined || error === null) && context.callbackWaitsForEmptyEventLoop) idle(value);
      else done(error, value);
    };
    Object.assign(context, {
      callbackWaitsForEmptyEventLoop: true,
      done,
      succeed: (value) => done(null, value),
      fail: (error) => done(error ?? "handled"),
    });
    idle(null);
    const result = handler(event, context, callback);
    if (typeof result?.then === "function") result.then(context.succeed, context.fail);
  });
}

// The emulator hands an answer over in one piece, so the stream is gathered.
class ResponseStream extends Writable {
  chunks = [];
  contentType = "application/octet-stream";

  _write(chunk, _encoding, callback) {
    this.chunks.push(chunk);
    callback();
  }

  setContentType(contentType) {
    this.contentType = contentType;
  }

  prelude(metadata) {
    this.setContentType(PRELUDE_TYPE);
    this.chunks.push(Buffer.from(JSON.stringify(metadata)), PRELUDE_END);
    return this;
  }
}

export async function invokeStreaming(handler, event, headers) {
  const stream = new ResponseStream();
  const result = handler(event, stream, contextOf(headers));
  if (typeof result?.then !== "function") throw new Error("Streaming does not support non-async handlers.");
  await result;
  if (!stream.writableEnded) throw new Error("Response stream is not finished.");
  await finished(stream);
  return { body: Buffer.concat(stream.chunks), headers: { "Content-Type": stream.contentType } };
}
