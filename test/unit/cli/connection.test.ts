import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { connectionOf } from '../../../src/cli/connection.ts';
import { addSettingFlags, isUsernameFromEnvironment } from '../../../src/cli/settings.ts';

/** Parses `args` for a subcommand, as the user writes them: flags of the program may stand behind it. */
function parse(args: readonly string[]): Command {
  const program = new Command('asynq').exitOverride().configureOutput({ writeErr: () => {} });
  addSettingFlags(program);
  let parsed: Command | undefined;
  program.command('ls').action((_, command: Command) => {
    parsed = command;
  });
  program.parse(['ls', ...args], { from: 'user' });
  if (parsed === undefined) throw new Error('the command did not run');
  return parsed;
}

const connection = (
  args: readonly string[],
  env: Record<string, string> = {},
  values: Record<string, string> = {},
) => connectionOf({ command: parse(args), env, file: { path: '.asynq.yaml', values } });

describe('the connection', () => {
  it("defaults to Go's addresses", () => {
    expect(connection([])).toEqual({ addr: '127.0.0.1:6379', db: 0 });
    expect(connection(['--cluster'])).toEqual({
      addrs: [7000, 7001, 7002, 7003, 7004, 7005].map((port) => `127.0.0.1:${port}`),
    });
  });

  it('takes a flag before the environment, that before the config file, and that before the default', () => {
    const file = { uri: 'file:9', db: '9' };
    expect(connection([], {}, file)).toEqual({ addr: 'file:9', db: 9 });
    expect(connection(['-n', '4'], { URI: 'redis:1' }, file)).toEqual({ addr: 'redis:1', db: 4 });
    expect(connection([], { URI: 'redis:1', DB: '3' })).toEqual({ addr: 'redis:1', db: 3 });
    expect(connection(['-u', 'other:2', '-n', '4'], { URI: 'redis:1', DB: '3' })).toEqual({
      addr: 'other:2',
      db: 4,
    });
    expect(connection([], { URI: '', DB: '' })).toEqual({ addr: '127.0.0.1:6379', db: 0 });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['F', false],
    ['0', false],
  ])('reads CLUSTER=%s', (value, isCluster) => {
    expect('addrs' in connection([], { CLUSTER: value })).toBe(isCluster);
  });

  it('means a cluster when its addresses are given', () => {
    expect(connection(['--no-cluster'], { CLUSTER: 'true' })).toEqual({ addr: '127.0.0.1:6379', db: 0 });
    expect(connection(['--no-cluster', '--cluster_addrs', 'a:1'])).toMatchObject({ addr: '127.0.0.1:6379' });
    expect(connection(['--cluster_addrs', 'a:1, b:2'])).toEqual({ addrs: ['a:1', 'b:2'] });
    expect(connection([], { CLUSTER_ADDRS: 'a:1' })).toEqual({ addr: '127.0.0.1:6379', db: 0 });
  });

  it('carries user, password and TLS', () => {
    const common = { username: 'me', password: 'secret' };
    expect(connection(['-U', 'me', '-p', 'secret'])).toMatchObject(common);
    expect(connection(['--cluster'], { USERNAME: 'me', PASSWORD: 'secret' })).toMatchObject(common);
    expect(connection(['--tls'])).toMatchObject({ tls: {} });
    expect(connection(['--tls_server', 'redis', '--insecure'])).toMatchObject({
      tls: { serverName: 'redis', insecure: true },
    });
    expect(connection(['--insecure'])).not.toHaveProperty('tls');
  });

  it('does not look at variables that do not matter for it', () => {
    const env = { URI: 'http://somewhere', DB: 'postgres' };
    expect(connection(['--cluster_addrs', 'a:1'], env)).toEqual({ addrs: ['a:1'] });
    expect(connection(['-u', 'a:1', '-n', '0'], env)).toEqual({ addr: 'a:1', db: 0 });
  });

  it.each([
    [['-u', 'http://localhost:6379'], {}, '--uri: expected a URI that begins with redis://'],
    [['-u', ':secret@localhost:6379'], {}, '--uri: expected host:port, got something with an @'],
    [['--tls_ca', '/nowhere/ca.pem'], {}, 'TLS: ENOENT'],
    [['-u', 'localhost'], {}, '--uri: expected host:port, got "localhost"'],
    [['-u', 'localhost:99999'], {}, '--uri: expected host:port, got "localhost:99999"'],
    [['--cluster_addrs', 'a:1,'], {}, '--cluster_addrs: expected host:port, got ""'],
    [['--cluster', '-n', '3'], {}, '--db: a Redis Cluster has database 0 only'],
    [['--cluster', '-u', 'a:1'], {}, '--uri is one server: give a cluster as --cluster_addrs'],
    [['-n', '-1'], {}, /expected the number of a database, got "-1"/],
    [[], { DB: 'one' }, 'environment variable DB: expected the number of a database, got "one"'],
    [[], { CLUSTER: 'yes' }, 'environment variable CLUSTER: expected true or false, got "yes"'],
  ])('refuses %j with %j', (args, env, message) => {
    expect(() => connection(args, env)).toThrow(message);
  });

  it('says which key of the config file is wrong', () => {
    expect(() => connection([], {}, { db: 'one' })).toThrow(
      'config file .asynq.yaml: db: expected the number of a database, got "one"',
    );
  });

  it('reads Redis URIs, which give way to flags only', () => {
    const uri = 'rediss://me:p%40ss@h/3';
    expect(connection(['-u', uri], { DB: '9', PASSWORD: 'other' })).toEqual({
      addr: 'h:6379',
      db: 3,
      username: 'me',
      password: 'p@ss',
      tls: {},
    });
    expect(connection(['-u', uri, '-n', '4', '--insecure'], {})).toMatchObject({
      db: 4,
      tls: { insecure: true },
    });
    expect(connection([], { URI: 'redis://h:1', PASSWORD: 'secret' })).toEqual({
      addr: 'h:1',
      db: 0,
      password: 'secret',
    });
  });

  it('reads the URIs of sockets and sentinels, whose master has a password of its own', () => {
    const sentinel = 'redis-sentinel://:theirs@h:1,i?master=m';
    expect(connection(['-u', sentinel, '-p', 'its'], {})).toEqual({
      masterName: 'm',
      sentinelAddrs: ['h:1', 'i:26379'],
      sentinelPassword: 'theirs',
      password: 'its',
      db: 0,
    });
    expect(connection(['-u', 'redis-socket:///r.sock'], {})).toEqual({
      network: 'unix',
      addr: '/r.sock',
      db: 0,
    });
  });

  it('knows whose user name it is', () => {
    const env = { USERNAME: 'desktop' };
    expect(isUsernameFromEnvironment({ command: parse([]), env })).toBe(true);
    expect(isUsernameFromEnvironment({ command: parse(['-U', 'me']), env })).toBe(false);
    expect(isUsernameFromEnvironment({ command: parse([]), env: {} })).toBe(false);
  });
});
