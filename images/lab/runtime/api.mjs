// The Lambda Runtime API: four requests over plain HTTP to AWS_LAMBDA_RUNTIME_API.

import http from "node:http";

import { toReport } from "./errors.mjs";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host, port, method, path: `/2018-06-01/runtime/${path}`, agent, headers },
      (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString("utf8") }));
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

function post(path, body, headers) {
  return call("POST", path, body, { "Content-Type": "application/json", ...headers });
}

function postError(path, thrown) {
  const report = toReport(thrown);
  return post(path, JSON.stringify(report), { "Lambda-Runtime-Function-Error-Type": report.errorType });
}

export const next = () => call("GET", "invocation/next");
export const respond = (id, body, headers) => post(`invocation/${id}/response`, body, headers);
export const fail = (id, thrown) => postError(`invocation/${id}/error`, thrown);
export const failInit = (thrown) => postError("init/error", thrown);
