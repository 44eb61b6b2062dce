// The lab's runtime client: loads the handler, then answers one invocation after the other.

import * as api from "./api.mjs";
import { RuntimeError, logError } from "./errors.mjs";
import { isStreaming, load, modern } from "./handler.mjs";
import { invoke, invokeStreaming } from "./invoke.mjs";
import { install } from "./layers.mjs";

// Exit codes of aws-lambda-ric: 129 after an uncaught exception, 128 after an unhandled rejection.
let report = api.failInit;
process.on("uncaughtException", (error) => {
  logError("Uncaught Exception", error);
  report(error).finally(() => process.exit(129));
});
process.on("unhandledRejection", (reason) => {
  const error = new RuntimeError("UnhandledPromiseRejection", String(reason), reason?.stack);
  logError("Unhandled Promise Rejection", error);
  report(error).finally(() => process.exit(128));
});

async function serve(handler) {
  const call = isStreaming(handler) ? invokeStreaming : invoke;
  for (;;) {
    const { headers, body } = await api.next();
    const id = headers["lambda-runtime-aws-request-id"];
    report = (error) => api.fail(id, error);
    try {
      const answer = await call(handler, JSON.parse(body), headers, { callbacks: !modern });
      await api.respond(id, answer.body, answer.headers);
    } catch (error) {
      logError("Invoke Error", error);
      await api.fail(id, error);
    }
  }
}

install();
let handler;
try {
  handler = await load(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
} catch (error) {
  logError("Uncaught Exception", error);
  await api.failInit(error);
  process.exit(129);
}
serve(handler);
