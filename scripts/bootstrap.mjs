#!/usr/bin/env node
/**
 * What `npm run ...` goes through: from a bare clone and any Node >= 20 to a TypeScript file run by Node 24.
 *
 * Plain JavaScript without dependencies, since it runs before there are any. In turn: the packages of the lock file
 * (`npm ci`, only when something in node_modules differs from it), Node 24 (the development dependency `node`, fetched
 * apart when npm may not run install scripts), then the file itself with node_modules/.bin on PATH.
 * Messages go to stderr: stdout belongs to the command.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const NEEDED_MAJOR = 24;
const OLDEST_MAJOR = 20;

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) stop('usage: node scripts/bootstrap.mjs FILE.ts [ARGUMENT...]');
if (major(process.version) < OLDEST_MAJOR) {
  stop(`Node >= ${OLDEST_MAJOR} is needed to begin with, this is ${process.version}: see https://nodejs.org`);
}
if (!isInstalled()) install();
const node = node24();
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

function install() {
  say('Installing the locked packages: npm ci');
  const started = performance.now();
  // A production environment would leave out the tools; warnings about old Nodes do not concern us, we bring ours.
  npm(
    ['ci', '--include=dev', '--loglevel=error'],
    ROOT,
    'The packages of package-lock.json cannot be installed',
  );
  say(`Installed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** Path of a Node that runs our TypeScript. */
function node24() {
  if (major(process.version) >= NEEDED_MAJOR) return process.execPath;
  const version = lockedPackages(join(ROOT, 'package-lock.json'))['node_modules/node'].version;
  const local = join(MODULES, 'node', 'bin', 'node');
  return works(local, version) ? local : fetchedNode(version);
}

function fetchedNode(version) {
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
  npm(['install', '--prefix', half, '--no-save', '--loglevel=error', `${name}@${version}`], half, problem);
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

function npm(parameters, cwd, problem) {
  // npm says who it is when it runs a script: that one, not another one on PATH.
  const cli = process.env.npm_execpath;
  const [command, ...first] = cli?.endsWith('.js') ? [process.execPath, cli] : ['npm'];
  const { status, error } = spawnSync(command, [...first, ...parameters], { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    stop(`${problem}${error === undefined ? '' : ` (${error.message})`}. This needs npm and the network.`);
  }
}

/** The rest of the way is the command's: its streams, its signals, its exit code. */
function runAndLeave(command, parameters, bin) {
  const PATH = [join(MODULES, '.bin'), bin, process.env.PATH].join(delimiter);
  const child = spawn(command, parameters, { stdio: 'inherit', env: { ...process.env, PATH } });
  // A terminal sends Ctrl-C to both of us: stay until the command has put its things away.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => stop(`${command}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
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
