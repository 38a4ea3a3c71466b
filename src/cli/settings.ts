import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ConfigFile } from './config-file.ts';
import type { Terminal } from './terminal.ts';

/** How to reach Redis, as flags, environment and config file may say it; names as in Go's CLI. */
export interface Settings {
  readonly uri: string;
  readonly db: number;
  readonly username: string;
  readonly password: string;
  readonly cluster: boolean;
  readonly cluster_addrs: string;
  readonly tls: boolean;
  readonly tls_server: string;
  readonly tls_ca: string;
  readonly tls_cert: string;
  readonly tls_key: string;
  readonly insecure: boolean;
}

export type SettingName = keyof Settings;
type SettingValue = Settings[SettingName];

interface SettingSpec {
  readonly flags: string;
  readonly help: string;
  readonly otherwise: SettingValue;
  /** How help shows `otherwise`, if not as it is. */
  readonly otherwiseText?: string;
  readonly parse: (text: string) => SettingValue;
}

const text = (value: string): string => value;

const SPECS: Readonly<Record<SettingName, SettingSpec>> = {
  uri: {
    flags: '-u, --uri <address>',
    help: 'Redis server: host:port, redis://... or rediss://...',
    otherwise: '127.0.0.1:6379',
    parse: text,
  },
  db: { flags: '-n, --db <number>', help: 'Redis database', otherwise: 0, parse: databaseNumber },
  password: { flags: '-p, --password <text>', help: 'password of the server', otherwise: '', parse: text },
  username: { flags: '-U, --username <name>', help: 'ACL user of the server', otherwise: '', parse: text },
  cluster: { flags: '--cluster', help: 'connect to a Redis Cluster', otherwise: false, parse: yesOrNo },
  cluster_addrs: {
    flags: '--cluster_addrs <list>',
    help: 'nodes of the cluster, separated by commas; implies --cluster',
    otherwise: [7000, 7001, 7002, 7003, 7004, 7005].map((port) => `127.0.0.1:${port}`).join(','),
    otherwiseText: '127.0.0.1:7000 to 7005',
    parse: text,
  },
  tls: { flags: '--tls', help: 'use TLS', otherwise: false, parse: yesOrNo },
  tls_server: {
    flags: '--tls_server <name>',
    help: "name in the server's certificate; implies --tls",
    otherwise: '',
    parse: text,
  },
  tls_ca: {
    flags: '--tls_ca <file>',
    help: 'PEM of the authorities to trust; implies --tls',
    otherwise: '',
    parse: text,
  },
  tls_cert: {
    flags: '--tls_cert <file>',
    help: 'PEM of our own certificate; implies --tls',
    otherwise: '',
    parse: text,
  },
  tls_key: { flags: '--tls_key <file>', help: 'PEM of its key', otherwise: '', parse: text },
  insecure: {
    flags: '--insecure',
    help: "accept any certificate of the server's",
    otherwise: false,
    parse: yesOrNo,
  },
};

export const SETTING_NAMES: readonly SettingName[] = Object.keys(SPECS) as SettingName[];

/** Adds a flag for each setting to the program, from where its commands inherit them. */
export function addSettingFlags(program: Command): void {
  for (const name of SETTING_NAMES) {
    const { flags, help, otherwise, otherwiseText, parse } = SPECS[name];
    const option = new Option(flags, `${help} (env ${name.toUpperCase()})`);
    if (option.required) option.argParser(parse);
    if (otherwise !== '' && otherwise !== false) option.default(otherwise, otherwiseText);
    program.addOption(option);
    // What `--cluster=false` becomes: it goes before CLUSTER=true of the environment.
    if (otherwise === false) program.addOption(new Option(`--no-${name}`).hideHelp());
  }
}

/** Where a command looks its settings up: flag, then environment, then config file, then default. */
export interface SettingSources {
  readonly command: Command;
  readonly env: Terminal['env'];
  readonly file?: ConfigFile | undefined;
}

/** What holds for a setting; one that is set to nothing counts as absent. @throws {InvalidArgumentError} */
export function setting<N extends SettingName>(name: N, sources: SettingSources): Settings[N] {
  const { command, env, file } = sources;
  const variable = name.toUpperCase();
  const value = isFlag(name, sources)
    ? (command.optsWithGlobals()[name] as SettingValue)
    : (parsed(name, env[variable], `environment variable ${variable}`) ??
      parsed(name, file?.values[name], `config file ${file?.path}: ${name}`) ??
      SPECS[name].otherwise);
  return value as Settings[N];
}

/** Whether the command line itself says it. */
export function isFlag(name: SettingName, { command }: SettingSources): boolean {
  return command.getOptionValueSourceWithGlobals(name) === 'cli';
}

/** Whether the ACL user comes from the variable USERNAME, which many desktops set to something else. */
export function isUsernameFromEnvironment(sources: SettingSources): boolean {
  return !isFlag('username', sources) && (sources.env['USERNAME'] ?? '') !== '';
}

function parsed(name: SettingName, value = '', where: string): SettingValue | undefined {
  try {
    return value === '' ? undefined : SPECS[name].parse(value);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`${where}: ${error.message}`);
  }
}

function databaseNumber(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError(`expected the number of a database, got "${value}"`);
}

/** As Go's strconv.ParseBool reads it. */
function yesOrNo(value: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new InvalidArgumentError(`expected true or false, got "${value}"`);
}
