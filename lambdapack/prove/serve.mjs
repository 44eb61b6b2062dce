// Serves the Lambda Runtime API to one runtime client and hands it the events of standard input, in turn.
// Arguments: handler, mark behind each reply, seconds for each event, node's flags for the client, lengths of the events.
// stdout has the replies, stderr the function's log. No container engine and no runtime interface emulator is needed.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { fileURLToPath } from "node:url";

const [handler, mark, seconds, flags, ...lengths] = process.argv.slice(2);
const input = readFileSync(0);
const events = [];
let start = 0;
for (const length of lengths.map(Number)) events.push(input.subarray(start, (start += length)));

const arn = `arn:aws:lambda:us-east-1:012345678912:function:${process.env.AWS_LAMBDA_FUNCTION_NAME}`;
let waiting, timer, current = -1, answered = 0;

function answer(body) {
  clearTimeout(timer);
  if (current < answered) return;
  answered += 1;
  process.stdout.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body]));
  process.stdout.write(`\n${mark}\n`, () => { if (answered === events.length) end(); });
}

function end() {
  client.removeAllListeners("exit");
  client.kill("SIGKILL");
  server.closeAllConnections();
  server.close(() => process.exit(0));
}

const failure = (type, message) => Buffer.from(JSON.stringify({ errorType: type, errorMessage: message }));

function next(response) {
  if (current + 1 >= events.length) return; // answered after the last event: nobody asks again
  current += 1;
  timer = setTimeout(() => {
    answer(Buffer.from(`${new Date().toISOString()} ${current} Task timed out after ${Number(seconds).toFixed(2)} seconds`));
    while (answered < events.length) { current += 1; answer(failure("Runtime.ExitError", "the function had timed out")); }
  }, seconds * 1000);
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": `00000000-0000-4000-8000-${String(current).padStart(12, "0")}`,
    "Lambda-Runtime-Deadline-Ms": String(Date.now() + seconds * 1000),
    "Lambda-Runtime-Invoked-Function-Arn": arn,
  });
  response.end(events[current]);
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    if (request.method === "GET") return next(response);
    if (request.url.includes("init/error") && current < 0) current = 0; // before any event was asked for
    response.writeHead(202);
    response.end();
    answer(Buffer.concat(chunks));
  });
});

let client;
server.listen(0, "127.0.0.1", () => {
  const environment = {
    ...process.env,
    AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${server.address().port}`,
    _HANDLER: handler,
  };
  if (environment.LAMBDAPACK_NODE_OPTIONS) environment.NODE_OPTIONS = environment.LAMBDAPACK_NODE_OPTIONS;
  delete environment.LAMBDAPACK_NODE_OPTIONS;
  const program = fileURLToPath(new URL("./index.mjs", import.meta.url));
  const words = [...JSON.parse(flags), program];
  client = spawn(process.execPath, words, { env: environment, cwd: environment.LAMBDA_TASK_ROOT, stdio: ["ignore", 2, 2] });
  client.on("exit", (code, signal) => {
    const how = signal ? `signal: ${signal.replace("SIG", "").toLowerCase()}` : `exit status ${code}`;
    if (current < 0) current = 0;
    const body = failure("Runtime.ExitError", `RequestId: ${current} Error: Runtime exited with error: ${how}`);
    while (answered < events.length) {
      answer(body);
      current += 1;
    }
  });
});
