import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigFile, readConfigFile } from '../../../src/cli/config-file.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { runAsynq } from './run.ts';

const KEYS = ['uri', 'db', 'password', 'cluster_addrs'];

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'asynq-config-'));
});

afterEach(() => rmSync(home, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text);
  return path;
}

const inHome = () => readConfigFile(undefined, { HOME: home }, KEYS);

describe('the config file', () => {
  it.each([
    ['.asynq.yaml', 'uri: redis:1\ndb: 3\n'],
    ['.asynq.yml', 'URI: redis:1\nDb: "3"\n'],
    ['.asynq.json', '{\n\t"uri": "redis:1",\n\t"db": 3\n}\n'],
  ])('may be %s', async (name, text) => {
    const path = write(name, text);
    expect(await inHome()).toEqual({ path, values: { uri: 'redis:1', db: '3' } });
  });

  it('is not needed', async () => {
    expect(await inHome()).toBeUndefined();
    expect(await readConfigFile(undefined, {}, KEYS)).toBeUndefined();
  });

  it('gives way to the one that is named', async () => {
    write('.asynq.yaml', 'uri: home:1');
    const path = write('other.yaml', 'uri: other:1');
    expect(await readConfigFile(path, { HOME: home }, KEYS)).toEqual({ path, values: { uri: 'other:1' } });
  });

  it('means its text as it is written, and a list with commas', async () => {
    write('.asynq.yaml', 'password: 0123\ncluster_addrs: [a:1, b:2]\ndb:\nuri: ~\n');
    expect((await inHome())?.values).toEqual({ password: '0123', cluster_addrs: 'a:1,b:2', db: '', uri: '' });
  });

  it.each([
    ['uri: [1', /^config file .*\.asynq\.yaml: .*at line \d, column \d$/],
    ['uri: a:1\nuri: b:1', /Map keys must be unique/],
    ['- uri', /expected a mapping of settings$/],
    ['urri: a:1', /unknown key "urri", expected uri, db, password, cluster_addrs$/],
    ['uri: {a: 1}', /uri: expected a single value or a list$/],
    ['password: secret\n  x: [', /^(?!.*secret)/],
  ])('refuses %j', async (text, message) => {
    write('.asynq.yaml', text);
    await expect(inHome()).rejects.toThrow(message);
    await expect(inHome()).rejects.toMatchObject({ code: 'ASYNQ_CONFIG_INVALID' });
  });

  it('is not looked past when it is of a kind that only Go reads', async () => {
    write('.asynq.toml', 'uri = "a:1"');
    await expect(inHome()).rejects.toThrow(/\.asynq\.toml: expected YAML or JSON: name it \.asynq\.yaml/);
  });

  it('must be there when it is named', async () => {
    await expect(readConfigFile(join(home, 'nowhere'), {}, KEYS)).rejects.toThrow('there is no such file');
    await expect(readConfigFile(home, {}, KEYS)).rejects.toThrow(/it cannot be read: EISDIR/);
  });
});

describe('any config file', () => {
  it('is read or refused', async () => {
    const keys = fc.oneof(fc.constantFrom(...KEYS), fc.string());
    const content = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...Array.from('uridb: \n\t-[]{}&*!|>"\'#,~1é')) }),
      fc.dictionary(keys, fc.jsonValue()).map((object) => JSON.stringify(object)),
    );
    await fc.assert(
      fc.asyncProperty(content, async (text) => {
        write('.asynq.yaml', text);
        expect(await inHome().then(valuesAreText, isConfigError)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function valuesAreText(file: ConfigFile | undefined): boolean {
  return Object.entries(file?.values ?? {}).every(
    ([key, value]) => KEYS.includes(key) && typeof value === 'string',
  );
}

function isConfigError(error: unknown): boolean {
  return AsynqError.is(error, 'ASYNQ_CONFIG_INVALID');
}

describe('asynq with a config file', () => {
  it('tells of it on stderr, and of what is wrong in it', async () => {
    const path = write('.asynq.yaml', 'db: one');
    expect(await runAsynq(['queue', 'ls'], { HOME: home })).toEqual({
      code: 1,
      out: '',
      err: [
        `Using config file: ${path}\n`,
        `error: config file ${path}: db: expected the number of a database, got "one"\n`,
      ].join(''),
    });
  });
});
