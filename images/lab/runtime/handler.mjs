// Finds the handler. Two rule sets: up to Node 22 that of aws-lambda-ric 3 (CommonJS first), from 24 on that of
// aws-lambda-ric 4 (everything by import, exports of CommonJS also below `default`).

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";

import { RuntimeError } from "./errors.mjs";

// Named after the entry point, which is the last line of a "Require stack" on Lambda.
const require = createRequire(new URL("index.mjs", import.meta.url));
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");

export const modern = Number(process.versions.node.split(".")[0]) >= 24;

export const isStreaming = (handler) => handler[STREAMING] === "response";

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign(handler, { [STREAMING]: "response" }),
  HttpResponseStream: { from: (stream, prelude) => stream.prelude(prelude) },
};

export async function load(root, name) {
  const { folder, file, path } = parse(name);
  const app = await loadModule(root, folder, file).catch(rethrow);
  const handler = find(app, path) ?? (modern ? find(app?.default, path) : undefined);
  if (!handler) throw new RuntimeError("HandlerNotFound", `${name} is undefined or not exported`);
  if (typeof handler !== "function") throw new RuntimeError("HandlerNotFound", `${name} is not a function`);
  if (modern && handler.length >= 3 && !isStreaming(handler)) {
    throw new RuntimeError(
      "CallbackHandlerDeprecated",
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.",
    );
  }
  return handler;
}

// The file's name ends at its first dot: `app.prod.handler` is file `app`, export `prod.handler`.
function parse(name) {
  if (name.includes("..")) {
    throw new RuntimeError(
      "MalformedHandlerName",
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const last = basename(name);
  const dot = last.indexOf(".");
  if (dot < 0) throw new RuntimeError("MalformedHandlerName", "Bad handler");
  return { folder: name.slice(0, name.indexOf(last)), file: last.slice(0, dot), path: last.slice(dot + 1) };
}

function find(object, path) {
  const step = modern
    ? (value, key) => (typeof value === "object" ? value?.[key] : undefined)
    : (value, key) => value && value[key];
  return path.split(".").reduce(step, object);
}

async function loadModule(root, folder, file) {
  const stem = resolve(root, folder, file);
  const loaders = modern ? [byImport("", ".js", ".mjs", ".cjs")] : legacyLoaders(stem);
  for (const [extension, loader] of loaders.flat()) {
    if (existsSync(stem + extension)) {
      const loaded = await loader(stem + extension);
      if (loaded) return loaded;
    }
  }
  return require(require.resolve(file, { paths: modern ? [root, join(root, folder)] : [root, folder] }));
}

const byImport = (...extensions) => extensions.map((extension) => [extension, (path) => import(path)]);
const byRequire = (...extensions) => extensions.map((extension) => [extension, (path) => require(path)]);

function legacyLoaders(stem) {
  const script = existsSync(`${stem}.js`) && isModuleScope(dirname(stem)) ? byImport(".js") : byRequire(".js");
  return [byRequire(""), script, byImport(".mjs"), byRequire(".cjs")];
}

// The nearest package.json decides; the search ends at a node_modules folder.
function isModuleScope(folder) {
  if (folder.endsWith("/node_modules")) return false;
  const manifest = join(folder, "package.json");
  if (existsSync(manifest)) {
    try {
      return JSON.parse(readFileSync(manifest, "utf8")).type === "module";
    } catch (error) {
      console.warn(`${manifest} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder === "/" ? false : isModuleScope(dirname(folder));
}

// Only these two are renamed: what dlopen says arrives as it is.
function rethrow(error) {
  if (error instanceof SyntaxError) throw new RuntimeError("UserCodeSyntaxError", String(error), error.stack);
  if (error?.code === "MODULE_NOT_FOUND") throw new RuntimeError("ImportModuleError", String(error));
  throw error;
}
