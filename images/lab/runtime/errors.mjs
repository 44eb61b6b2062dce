// What went wrong, in the words of the Runtime API.

export class RuntimeError extends Error {
  constructor(name, message, stack) {
    super(message);
    this.name = `Runtime.${name}`;
    if (stack) this.stack = stack;
  }
}

// Anything can be thrown, and its getters can throw again.
export function toReport(thrown) {
  try {
    if (thrown instanceof Error) {
      return { errorType: thrown.name, errorMessage: thrown.message, trace: String(thrown.stack).split("\n") };
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  } catch {
    return { errorType: "handled", errorMessage: "the thrown value cannot be read", trace: [] };
  }
}

// One line on the log, with the error's own properties (code, errno, …), as CloudWatch shows it.
export function logError(title, thrown) {
  const report = thrown instanceof Error ? { ...toReport(thrown), code: thrown.code, ...thrown } : toReport(thrown);
  delete report.trace;
  if (thrown instanceof Error) report.stack = String(thrown.stack).split("\n");
  console.error(`${new Date().toISOString()}\t${title}\t${JSON.stringify(report)}`);
}
