import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AsynqQueue } from '../../../../src/operator/asynq-queue.ts';
import { FileSource } from '../../../../src/operator/ends/file-source.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { silentLogger } from '../../../../src/runtime/logger.ts';
import { until } from '../../../support/until.ts';

const manifest = (name: string, spec = '', queue = name) => `apiVersion: asynq.dev/v1alpha1
kind: AsynqQueue
metadata: { name: ${name} }
spec: { queue: ${queue}, worker: { handlers: { path: ./handlers.mjs } }${spec} }
`;

let folder: string;
let sources: FileSource[];
let faults: string[];
let edits: string[];
let changes: { keys: readonly string[]; removed: readonly string[] }[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'asynq-file-source-'));
  sources = [];
  faults = [];
  changes = [];
  edits = [];
});

afterEach(async () => {
  for (const source of sources) await source.stop();
  await rm(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);

function open(paths = [folder], env = {}): FileSource {
  const listener = {
    onFaults: (found: readonly string[]) => void faults.push(...found),
    onEdit: (name: string, edit: string) => void edits.push(`${name} ${edit}`),
    onChange: (keys: readonly string[], removed: readonly string[]) => void changes.push({ keys, removed }),
  };
  const source = new FileSource({ paths, clock: systemClock, log: silentLogger, env, listener });
  sources.push(source);
  return source;
}

async function started(paths?: string[], env?: object): Promise<FileSource> {
  const source = open(paths, env);
  await source.start();
  return source;
}

const names = (source: FileSource) => source.list().map((queue: AsynqQueue) => queue.metadata.name);

describe('FileSource', () => {
  it('gives the AsynqQueues of files and folders as the API server would', async () => {
    await write('a.yaml', manifest('a'));
    await write('b.yml', `${manifest('b')}---\n${manifest('c')}`);
    await write('notes.txt', 'not a manifest');
    const source = await started();
    expect(names(source)).toEqual(['a', 'b', 'c']);
    expect(source.get('default/b')).toMatchObject({
      metadata: { name: 'b', namespace: 'default', generation: 1 },
      spec: { worker: { concurrency: 10 }, scaling: { mode: 'Auto', maxReplicas: 10 } },
    });
    expect(source.fileOf('default/c')).toBe(join(folder, 'b.yml'));
  });

  it('makes the AsynqQueue that is declared first the older one', async () => {
    await write('a.yaml', `${manifest('z')}---\n${manifest('a')}`);
    const [z, a] = (await started()).list();
    expect((z?.metadata.uid ?? '') < (a?.metadata.uid ?? '')).toBe(true);
  });

  it.each([
    ['a broken manifest', { 'a.yaml': manifest('a', ', bad: 1') }, /a\.yaml:4:\d+: spec\.bad: unknown field/],
    ['no AsynqQueue', { 'a.yaml': '' }, /^there is no AsynqQueue/],
    [
      'one AsynqQueue in two files',
      { 'a.yaml': manifest('a'), 'b.yaml': manifest('a') },
      /b\.yaml:1:1: metadata\.name: AsynqQueue default\/a stands already in .*a\.yaml:1$/,
    ],
  ])('does not start with %s', async (_, files, message) => {
    for (const [name, text] of Object.entries(files)) await write(name, text);
    await expect(open().start()).rejects.toThrow(message);
    await expect(open().start()).rejects.toMatchObject({ code: 'ASYNQ_MANIFEST_INVALID' });
  });

  it('does not start with a path that is not there', async () => {
    const path = join(folder, 'nowhere');
    await expect(open([path]).start()).rejects.toThrow(`${path}: no such file or folder`);
  });

  it('takes what is edited, added and removed', async () => {
    await write('a.yaml', manifest('a'));
    await write('b.yaml', manifest('b'));
    const source = await started();
    await write('a.yaml', manifest('a', ', paused: true'));
    await until(() => source.get('default/a')?.spec.paused);
    expect(source.get('default/a')?.metadata).toMatchObject({ generation: 2, uid: '00000001' });
    expect(source.get('default/b')?.metadata.generation).toBe(1);

    await write('.c.swp.yaml', 'an editor was here');
    await write('c.tmp', manifest('c'));
    await rename(join(folder, 'c.tmp'), join(folder, 'c.yaml'));
    await until(() => names(source).includes('c'));

    await rm(join(folder, 'b.yaml'));
    await until(() => !names(source).includes('b'));
    expect(changes.at(-1)).toEqual({ keys: ['default/a', 'default/c'], removed: ['default/b'] });
    expect(faults).toEqual([]);
  });

  it('keeps the last good state of a file that was broken, says so once, and takes the mended one', async () => {
    await write('a.yaml', manifest('a'));
    await write('b.yaml', manifest('b'));
    const source = await started();
    await write('a.yaml', manifest('a', ', scaling: { minReplicas: 9, maxReplicas: 3 }'));
    await write('b.yaml', manifest('b', ', paused: true'));
    await until(() => source.get('default/b')?.spec.paused);
    await until(() => faults.length > 0);
    expect(source.get('default/a')?.metadata.generation).toBe(1);

    await write('b.yaml', manifest('b', ', paused: false'));
    await until(() => source.get('default/b')?.spec.paused === false);
    expect(faults).toEqual([
      expect.stringMatching(/a\.yaml:4:\d+: spec\.scaling\.minReplicas: .* greater than/),
    ]);

    await write('a.yaml', manifest('a', ', scaling: { minReplicas: 1, maxReplicas: 3 }'));
    await until(() => source.get('default/a')?.metadata.generation === 2);
  });

  it('outlives a typo in an alias', async () => {
    await write('a.yaml', manifest('a'));
    const source = await started();
    await write('a.yaml', manifest('a', ', paused: *yes'));
    await until(() => faults.length > 0);
    expect(faults).toEqual([expect.stringMatching(/a\.yaml:4:\d+: \*yes: there is no &yes before it$/)]);
    await write('a.yaml', manifest('a', ', paused: true'));
    await until(() => source.get('default/a')?.spec.paused);
  });

  it('refuses a changed queue name', async () => {
    await write('a.yaml', manifest('a', '', 'one'));
    const source = await started();
    await write('a.yaml', manifest('a', '', 'two'));
    await until(() => faults.length > 0);
    expect(faults[0]).toMatch(/spec\.queue: queue cannot be changed/);
    expect(source.get('default/a')?.spec.queue).toBe('one');
  });

  it('lets an AsynqQueue move from one file to another', async () => {
    await write('a.yaml', `${manifest('a')}---\n${manifest('x')}`);
    await write('b.yaml', manifest('b'));
    const source = await started();
    const before = source.get('default/x');
    await write('b.yaml', `${manifest('b')}---\n${manifest('x')}`);
    await until(() => faults.length > 0);
    await write('a.yaml', manifest('a'));
    await until(() => source.fileOf('default/x') === join(folder, 'b.yaml'));
    expect(source.get('default/x')).toBe(before);
  });

  it('says what was edited, added and removed, and nothing of what was there or only moved', async () => {
    await write('a.yaml', manifest('a', ', scaling: { maxReplicas: 3 }'));
    await write('b.yaml', manifest('b'));
    await started();
    await write(
      'a.yaml',
      `# more\n${manifest('a', ', scaling: { maxReplicas: 5, minReplicas: 1 }, paused: true')}`,
    );
    await until(() => edits.length === 1);
    await write('c.yaml', manifest('c'));
    await until(() => edits.length === 2);
    await rm(join(folder, 'b.yaml'));
    await until(() => edits.length === 3);
    expect(edits).toEqual([
      'a was edited: scaling.maxReplicas 3 -> 5, scaling.minReplicas 0 -> 1, paused none -> true',
      `c was added by ${join(folder, 'c.yaml')}`,
      'b was removed from the manifests',
    ]);
  });

  it('keeps status through an edit', async () => {
    await write('a.yaml', manifest('a'));
    const source = await started();
    const [queue] = source.list();
    if (queue === undefined) throw new Error('no queue');
    await source.writeStatus(queue, { replicas: 2 });
    await write('a.yaml', manifest('a', ', paused: true'));
    await until(() => source.get('default/a')?.spec.paused);
    expect(source.get('default/a')?.status).toEqual({ replicas: 2 });
  });

  it('finds Secrets in the manifests, then in the environment', async () => {
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: { name: my-redis }\nstringData: { password: declared }\n';
    await write('a.yaml', `${manifest('a')}---\n${secret}`);
    const env = { ASYNQ_SECRET_MY_REDIS_PASSWORD: 'not asked', ASYNQ_SECRET_OTHER_CA_CRT: 'from env' };
    const source = await started([folder], env);
    expect(await source.secret('default', 'my-redis', 'password')).toBe('declared');
    expect(await source.secret('default', 'my-redis', 'other')).toBeUndefined();
    expect(await source.secret('default', 'other', 'ca.crt')).toBe('from env');
    expect(await source.secret('other', 'my-redis', 'none')).toBeUndefined();
  });
});
