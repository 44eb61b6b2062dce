// Lets `import` see NODE_PATH, where layers are. Node's own ESM resolver never looks there; Lambda's runtimes do
// since Node 18. Hooks run on this thread where Node can do that (22.15 and later), else on a worker.

import module from "node:module";
import { delimiter, dirname } from "node:path";
import { pathToFileURL } from "node:url";

const roots = (process.env.NODE_PATH ?? "")
  .split(delimiter)
  .filter((path) => path.endsWith("/node_modules"))
  .map((path) => pathToFileURL(`${dirname(path)}/layer.mjs`).href);

const isBare = (specifier) => !/^(\.{0,2}\/|#|[a-z][a-z+.-]*:)/i.test(specifier);

// Node walks up from the parent, so a parent beside a layer's node_modules makes it look into that.
function* parents(specifier, error) {
  if (error.code !== "ERR_MODULE_NOT_FOUND" || !isBare(specifier)) return;
  yield* roots;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    for (const parentURL of parents(specifier, error)) {
      try {
        return await next(specifier, { ...context, parentURL });
      } catch {
        // the next layer
      }
    }
    throw error;
  }
}

function resolveSync(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    for (const parentURL of parents(specifier, error)) {
      try {
        return next(specifier, { ...context, parentURL });
      } catch {
        // the next layer
      }
    }
    throw error;
  }
}

export function install() {
  if (module.registerHooks) module.registerHooks({ resolve: resolveSync });
  else module.register(import.meta.url);
}
