import { type Command, InvalidArgumentError, Option } from 'commander';
import { isAddress, withoutSecrets } from '../redis/address.ts';
import type { RedisConnOpt, TlsOptions } from '../redis/options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The connection as flags and environment give it; names as in Go's CLI. */
interface ConnectionFlags {
  readonly uri: string;
  readonly db: number;
  readonly username: string;
  readonly password: string;
  readonly cluster: boolean;
  readonly clusterAddrs: string;
  readonly tls: boolean;
  readonly tlsServer: string;
  readonly insecure: boolean;
}

type FlagName = keyof ConnectionFlags;
type FlagValue = string | number | boolean;

interface FlagSpec {
  readonly flags: string;
  readonly help: string;
  readonly otherwise: FlagValue;
  /** How help shows `otherwise`, if not as it is. */
  readonly otherwiseText?: string;
  readonly parse: (text: string) => FlagValue;
}

const text = (value: string): string => value;

/** Flag, help, default; the environment variable is the key in capitals, without a prefix, as Go's CLI has it. */
const FLAGS: Readonly<Record<FlagName, FlagSpec>> = {
  uri: { flags: '-u, --uri <host:port>', help: 'Redis server', otherwise: '127.0.0.1:6379', parse: text },
  db: { flags: '-n, --db <number>', help: 'Redis database', otherwise: 0, parse: databaseNumber },
  password: { flags: '-p, --password <text>', help: 'password of the server', otherwise: '', parse: text },
  username: { flags: '-U, --username <name>', help: 'ACL user of the server', otherwise: '', parse: text },
  cluster: { flags: '--cluster', help: 'connect to a Redis Cluster', otherwise: false, parse: yesOrNo },
  clusterAddrs: {
    flags: '--cluster_addrs <list>',
    help: 'nodes of the cluster, separated by commas; implies --cluster',
    otherwise: [7000, 7001, 7002, 7003, 7004, 7005].map((port) => `127.0.0.1:${port}`).join(','),
    otherwiseText: '127.0.0.1:7000 to 7005',
    parse: text,
  },
  tls: { flags: '--tls', help: 'use TLS', otherwise: false, parse: yesOrNo },
  tlsServer: {
    flags: '--tls_server <name>',
    help: "name in the server's certificate; implies --tls",
    otherwise: '',
    parse: text,
  },
  insecure: {
    flags: '--insecure',
    help: "accept any certificate of the server's",
    otherwise: false,
    parse: yesOrNo,
  },
};

const FLAG_NAMES = Object.keys(FLAGS) as FlagName[];

/** Adds the connection flags to the program, from where its subcommands inherit them. */
export function addConnectionFlags(program: Command): void {
  for (const name of FLAG_NAMES) {
    const { flags, help, otherwise, otherwiseText, parse } = FLAGS[name];
    const option = new Option(flags, `${help} (env ${envName(name)})`);
    if (option.required) option.argParser(parse);
    if (otherwise !== '' && otherwise !== false) option.default(otherwise, otherwiseText);
    program.addOption(option);
  }
}

/**
 * The connection that `command` was given: flag, then environment, then default. The variables have Go's names, which are
 * everybody's names too: one that does not matter for this connection is not looked at, an empty one counts as absent.
 * @throws {InvalidArgumentError} a value that cannot be, or flags that contradict each other
 */
export function connectionOf(command: Command, env: Environment): RedisConnOpt {
  const given = command.optsWithGlobals();
  const isFlag = (name: FlagName) => isGiven(command, name);
  const valueOf = <N extends FlagName>(name: N) =>
    (isFlag(name)
      ? given[optionKey(name)]
      : (fromEnvironment(name, env) ?? FLAGS[name].otherwise)) as ConnectionFlags[N];

  const common = { username: valueOf('username'), password: valueOf('password'), ...tlsOf(valueOf) };
  if (!valueOf('cluster') && !isFlag('clusterAddrs'))
    return compact({ addr: address(valueOf('uri'), '--uri'), db: valueOf('db'), ...common });

  if (isFlag('uri')) throw new InvalidArgumentError('--uri is one server: give a cluster as --cluster_addrs');
  if (isFlag('db')) throw new InvalidArgumentError('--db: a Redis Cluster has database 0 only');
  const addrs = valueOf('clusterAddrs')
    .split(',')
    .map((addr) => address(addr.trim(), '--cluster_addrs'));
  return compact({ addrs, ...common });
}

/** Whether the ACL user comes from the variable USERNAME, which many desktops set to something else. */
export function isUsernameFromEnvironment(command: Command, env: Environment): boolean {
  return !isGiven(command, 'username') && fromEnvironment('username', env) !== undefined;
}

function isGiven(command: Command, name: FlagName): boolean {
  return command.getOptionValueSourceWithGlobals(optionKey(name)) === 'cli';
}

function fromEnvironment(name: FlagName, env: Environment): FlagValue | undefined {
  const value = env[envName(name)];
  if (value === undefined || value === '') return undefined;
  try {
    return FLAGS[name].parse(value);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`environment variable ${envName(name)}: ${error.message}`);
  }
}

function tlsOf(valueOf: <N extends FlagName>(name: N) => ConnectionFlags[N]): { tls?: TlsOptions } {
  const serverName = valueOf('tlsServer');
  if (!valueOf('tls') && serverName === '') return {};
  return { tls: compact({ serverName, insecure: valueOf('insecure') }) };
}

/** Without the fields that hold nothing. */
function compact<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== '' && value !== false),
  ) as T;
}

function address(value: string, flag: string): string {
  if (isAddress(value)) return value;
  throw new InvalidArgumentError(`${flag}: expected host:port, got ${withoutSecrets(value)}`);
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

function envName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Where commander keeps the value of `--tls_server`: it camel-cases dashes, not underscores. */
function optionKey(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
