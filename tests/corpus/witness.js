// Runs in a lab image over the tree at /var/task. Asks on stdin, tells on stdout: one JSON object a line.
// A fresh node for each question, since what one has loaded changes what the next one finds.
const { spawnSync } = require('child_process');
const { mkdtempSync, readFileSync, writeFileSync, existsSync } = require('fs');

const asked = JSON.parse(readFileSync(0, 'utf8'));
const folder = mkdtempSync('/tmp/witness-');
const SECONDS = asked.seconds;

// What every node below this one notes in a file: what it opens by dlopen and what it starts.
writeFileSync(`${folder}/hook.js`, `
const fs = require('fs'), cp = require('child_process');
const note = event => fs.appendFileSync(process.env.WITNESS, JSON.stringify(event) + '\\n');
const real = process.dlopen;
process.dlopen = function (module, file, ...rest) {
  const path = fs.existsSync(file) ? fs.realpathSync(file) : String(file);
  note({ dlopen: path, ok: null });
  try { const done = real.call(process, module, file, ...rest); note({ dlopen: path, ok: true }); return done; }
  catch (error) { note({ dlopen: path, ok: false, error: String(error && error.message) }); throw error; }
};
for (const name of ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'exec', 'execSync']) {
  const before = cp[name];
  const after = function (file, ...rest) { note({ spawn: String(file) }); return before.call(this, file, ...rest); };
  Object.defineProperties(after, Object.getOwnPropertyDescriptors(before));
  cp[name] = after;
}
process.on('exit', () => {
  try {
    const maps = fs.readFileSync('/proc/self/maps', 'utf8').match(/\\/var\\/task\\/.*$/gm) || [];
    for (const path of new Set(maps)) note({ mapped: path });
  } catch {}
});
`);

const OPEN = `
try { process.dlopen({ exports: {} }, process.argv[1], Number(process.argv[2])); process.exit(0) }
catch (error) { console.error(String(error && error.message || error)); process.exit(1) }`;

const TAKE = `
const [name, use] = process.argv.slice(1);
const failed = how => error => {
  const said = error && error.stack ? String(error.code || '') + ' ' + error.stack : String(error);
  require('fs').writeSync(2, how + ': ' + said.slice(0, 3000) + '\\n'); process.exit(how === 'require' ? 21 : 22);
};
const HERE = ['ERR_REQUIRE_ESM', 'ERR_PACKAGE_PATH_NOT_EXPORTED', 'ERR_REQUIRE_ASYNC_MODULE'];
const here = require('module').createRequire('/var/task/index.js');
const take = async () => { try { return here(name) } catch (error) {
  if (!HERE.includes(error && error.code)) throw error;
  return import(name);
} };
process.on('unhandledRejection', failed('use'));
process.on('uncaughtException', failed('use'));
take().then(m => Promise.resolve().then(() => use && new Function('m', 'require', 'return (' + use + ')')(m, here))
  .then(() => setTimeout(() => process.exit(0), 50), failed('use')), failed('require'));`;

function run(file, words, env) {
  const done = spawnSync(file, words, {
    cwd: '/var/task', encoding: 'utf8', timeout: SECONDS * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 24,
    env: { PATH: process.env.PATH, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH, HOME: '/tmp', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = ((done.stderr || '') + (done.stdout || '')).trim().slice(0, 3000);
  return { exit: done.status, signal: done.signal, said, error: done.error ? done.error.code : null };
}

let count = 0;
function watched(file, words) {
  const log = `${folder}/events-${count++}`;
  const done = run(file, words, { WITNESS: log, NODE_OPTIONS: `--require=${folder}/hook.js` });
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [];
  return { ...done, events: lines.map(line => JSON.parse(line)) };
}

const tell = answer => console.log(JSON.stringify(answer));
const NOW = require('os').constants.dlopen.RTLD_NOW, LAZY = require('os').constants.dlopen.RTLD_LAZY;
for (const path of asked.addons) {
  const lazy = run(process.execPath, ['-e', OPEN, path, String(LAZY)]);
  tell({ addon: path, ...lazy, now: lazy.exit === 0 ? run(process.execPath, ['-e', OPEN, path, String(NOW)]) : null });
}
for (const path of asked.programs) tell({ program: path, ...run(path, ['--version']) });
if (asked.module) tell({ module: asked.module, ...watched(process.execPath, ['-e', TAKE, asked.module, asked.use]) });
for (const path of asked.bins) tell({ bin: path, ...watched(path, ['--version']) });
