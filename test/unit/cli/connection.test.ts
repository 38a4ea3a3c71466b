import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addConnectionFlags, connectionOf, isUsernameFromEnvironment } from '../../../src/cli/connection.ts';

/** Parses `args` for a subcommand, as the user writes them: flags of the program may stand behind it. */
function parse(args: readonly string[]): Command {
  const program = new Command('asynq').exitOverride().configureOutput({ writeErr: () => {} });
  addConnectionFlags(program);
  let parsed: Command | undefined;
  program.command('ls').action((_, command: Command) => {
    parsed = command;
  });
  program.parse(['ls', ...args], { from: 'user' });
  if (parsed === undefined) throw new Error('the command did not run');
  return parsed;
}

const connection = (args: readonly string[], env: Record<string, string> = {}) =>
  connectionOf(parse(args), env);

describe('the connection', () => {
  it("defaults to Go's addresses", () => {
    expect(connection([])).toEqual({ addr: '127.0.0.1:6379', db: 0 });
    expect(connection(['--cluster'])).toEqual({
      addrs: [7000, 7001, 7002, 7003, 7004, 7005].map((port) => `127.0.0.1:${port}`),
    });
  });

  it('takes a flag before the environment, and that before the default', () => {
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
    [['-u', 'redis://localhost:6379'], {}, '--uri: expected host:port, got "redis://localhost:6379"'],
    [['-u', 'redis://:secret@localhost:6379'], {}, '--uri: expected host:port, got something with an @'],
    [['-u', 'localhost'], {}, '--uri: expected host:port, got "localhost"'],
    [['-u', 'localhost:99999'], {}, '--uri: expected host:port, got "localhost:99999"'],
    [['--cluster_addrs', 'a:1,'], {}, '--cluster_addrs: expected host:port, got ""'],
    [['--cluster', '-n', '3'], {}, '--db: a Redis Cluster has database 0 only'],
    [['--cluster', '-u', 'a:1'], {}, '--uri is one server: give a cluster as --cluster_addrs'],
    [['-n', '-1'], {}, /expected the number of a database, got "-1"/],
    [[], { DB: 'one' }, 'environment variable DB: expected the number of a database, got "one"'],
    [[], { CLUSTER: 'yes' }, 'environment variable CLUSTER: expected true or false, got "yes"'],
  ])('refuses %j with %j', (args, env, message) => {
    expect(() => connectionOf(parse(args), env)).toThrow(message);
  });

  it('knows whose user name it is', () => {
    expect(isUsernameFromEnvironment(parse([]), { USERNAME: 'desktop' })).toBe(true);
    expect(isUsernameFromEnvironment(parse(['-U', 'me']), { USERNAME: 'desktop' })).toBe(false);
    expect(isUsernameFromEnvironment(parse([]), {})).toBe(false);
  });
});
