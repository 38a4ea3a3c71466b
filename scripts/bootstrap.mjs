#!/usr/bin/env node
/**
 * What `npm run ...` goes through: from a bare clone and any Node >= 20 to a TypeScript file run by Node 24.
 *
 * Plain JavaScript without dependencies, since it runs before there are any. In turn: the packages of the lock file
 * (`npm ci`, only when something in node_modules differs from it), Node 24 (the development dependency `node`, fetched
 * apart when npm may not run install scripts), then the file itself with node_modules/.bin on PATH.
 * Messages go to stderr: stdout belongs to the command. Two that install at once would take the floor from under each
 * other: the second waits for the first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const NEEDED_MAJOR = 24;
const OLDEST_MAJOR = 20;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** npm, told to end, gets so long. */
const NPM_END_MS = 5_000;
const LOOK_AGAIN_MS = 200;
/** Holds the id of the process that installs into this clone. */
const LOCK = join(
  tmpdir(),
  `asynq-install-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}.lock`,
);

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) stop('usage: node scripts/bootstrap.mjs FILE.ts [ARGUMENT...]');
if (major(process.version) < OLDEST_MAJOR) {
  stop(`Node >= ${OLDEST_MAJOR} is needed to begin with, this is ${process.version}: see https://nodejs.org`);
}
if (!isInstalled()) await alone(install);
const node = await node24();
runAndLeave(node, [join(ROOT, entry), ...args], dirname(node));

/** True when node_modules holds just what the lock file asks for; npm leaves there what it has installed. */
function isInstalled() {
  const wanted = lockedPackages(join(ROOT, 'package-lock.json'));
  const present = lockedPackages(join(MODULES, '.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

/** Path in the tree -> entry of a lock file; empty when there is none. */
function lockedPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

async function install() {
  if (isInstalled()) return;
  say('Installing the locked packages: npm ci, about a minute');
  const started = performance.now();
  // A production environment would leave out the tools; warnings about old Nodes do not concern us, we bring ours.
  await npm(
    ['ci', '--include=dev', '--loglevel=error'],
    ROOT,
    'The packages of package-lock.json cannot be installed',
    // Should we be killed, npm goes on: it is npm that others wait for.
    (pid) => writeFileSync(LOCK, String(pid)),
  );
  say(`Installed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Does the work when no other process does it for this clone; a lock whose owner is no more is nobody's. */
async function alone(work) {
  let said = false;
  while (!locked()) {
    const owner = lockOwner();
    if (owner !== undefined && !isAlive(owner)) {
      // Another one that waits may have been faster, and lock by now.
      if (lockOwner() === owner) rmSync(LOCK, { force: true });
    } else if (owner !== undefined && !said) {
      say(`Another run installs the packages (process ${owner}, lock ${LOCK}): waiting for it`);
      said = true;
    }
    await sleep(LOOK_AGAIN_MS);
  }
  const unlock = () => rmSync(LOCK, { force: true });
  process.once('exit', unlock);
  await work();
  process.off('exit', unlock);
  unlock();
}

/** A lock appears with its owner in it. */
function locked() {
  const draft = `${LOCK}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, LOCK);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft);
  }
}

/** Undefined: it has just gone, or changes hands. */
function lockOwner() {
  try {
    return Number.parseInt(readFileSync(LOCK, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

/** Our own id in a lock that we do not hold was somebody's before us. */
function isAlive(pid) {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Path of a Node that runs our TypeScript. */
async function node24() {
  if (major(process.version) >= NEEDED_MAJOR) return process.execPath;
  const version = lockedPackages(join(ROOT, 'package-lock.json'))['node_modules/node'].version;
  const local = join(MODULES, 'node', 'bin', 'node');
  return works(local, version) ? local : await fetchedNode(version);
}

async function fetchedNode(version) {
  const cache = process.env.ASYNQ_LAB ?? join(homedir(), '.cache', 'asynq-lab');
  const folder = join(cache, `node-${version}`);
  const system = `${process.platform}-${process.arch}`;
  const name = system === 'darwin-arm64' ? `node-bin-${system}` : `node-${system}`;
  const path = join('node_modules', name, 'bin', 'node');
  if (works(join(folder, path), version)) return join(folder, path);
  say(`Fetching Node ${version}`);
  const half = `${folder}.${process.pid}.half`;
  mkdirSync(half, { recursive: true });
  const problem = `Node ${NEEDED_MAJOR} cannot be fetched as the npm package ${name}`;
  await npm(
    ['install', '--prefix', half, '--no-save', '--loglevel=error', `${name}@${version}`],
    half,
    problem,
  );
  rmSync(folder, { recursive: true, force: true });
  renameSync(half, folder);
  if (!works(join(folder, path), version)) {
    stop(`${problem}. Install Node >= ${NEEDED_MAJOR} yourself (https://nodejs.org), then run this again.`);
  }
  return join(folder, path);
}

function works(path, version) {
  return spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${version}`;
}

/** Runs npm to its end, in a process group of its own: what ends us ends all of it first, install scripts included. */
async function npm(parameters, cwd, problem, onStart) {
  // npm says who it is when it runs a script: that one, not another one on PATH.
  const cli = process.env.npm_execpath;
  const [command, ...first] = cli?.endsWith('.js') ? [process.execPath, cli] : ['npm'];
  const child = spawn(command, [...first, ...parameters], { cwd, stdio: ['ignore', 2, 2], detached: true });
  if (child.pid !== undefined) onStart?.(child.pid);
  let ending;
  const end = (signal) => {
    if (ending === undefined) say('\nEnding npm');
    ending ??= signal;
    killGroup(child, 'SIGTERM');
    setTimeout(() => killGroup(child, 'SIGKILL'), NPM_END_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, end);
  const unwatch = onOrphaned(() => end('SIGTERM'));
  const how = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  for (const signal of SIGNALS) process.off(signal, end);
  unwatch();
  if (ending !== undefined) {
    killGroup(child, 'SIGKILL'); // what is left of it
    process.exit(128 + constants.signals[ending]);
  }
  if (how === undefined) return;
  stop(`${problem}: npm ended with ${how}; what it says stands above. It needs the network.`);
}

function killGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone.
  }
}

/** The rest of the way is the command's: its streams, its signals, its exit code. */
function runAndLeave(command, parameters, bin) {
  const PATH = [join(MODULES, '.bin'), bin, process.env.PATH].join(delimiter);
  const child = spawn(command, parameters, { stdio: 'inherit', env: { ...process.env, PATH } });
  // A terminal sends Ctrl-C to both of us: stay until the command has put its things away.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  onOrphaned(() => child.kill('SIGTERM'));
  child.on('error', (error) => stop(`${command}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** npm that is told to end leaves its script behind: between us stands a shell, which passes nothing on. */
function onOrphaned(act) {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, LOOK_AGAIN_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function major(version) {
  return Number.parseInt(version.replace('v', ''), 10);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function stop(line) {
  say(line);
  process.exit(1);
}
