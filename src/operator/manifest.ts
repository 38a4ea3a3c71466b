import { type AsynqQueueSpec, GROUP, KIND, keyOf, VERSION } from './asynq-queue.ts';
import type { AsynqQueueSchema } from './asynq-queue-schema.ts';
import { type ManifestObject, type Position, readObjects } from './manifest-yaml.ts';
import { quote } from './schema-check.ts';
import { type FieldPath, isObject, type Json, pathText } from './structural-schema.ts';

/** What one file says, as the API server would have taken it. */
export interface Manifest {
  readonly file: string;
  readonly queues: readonly DeclaredQueue[];
  readonly secrets: readonly DeclaredData[];
  readonly configMaps: readonly DeclaredData[];
  /** Objects of kinds that mean nothing here. */
  readonly others: readonly { readonly kind: string; readonly name: string; readonly line: number }[];
}

export interface DeclaredQueue {
  readonly metadata: { readonly namespace: string; readonly name: string };
  /** With its defaults. */
  readonly spec: AsynqQueueSpec;
  readonly line: number;
}

/** A Secret or a ConfigMap: key -> text. */
export interface DeclaredData {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

export interface ManifestProblem extends Position {
  readonly file: string;
  /** `spec.scaling.maxReplicas`; empty when the fault is in the file itself. */
  readonly field: string;
  readonly message: string;
}

export interface ManifestReading {
  readonly manifest: Manifest;
  readonly problems: readonly ManifestProblem[];
}

const DEFAULT_NAMESPACE = 'default';

/** Objects of these never come to an API server, and need no name. */
const LOCAL_GROUPS: ReadonlySet<string> = new Set(['kustomize.config.k8s.io']);

/**
 * Reads a file of manifests. `before` gives the spec that an AsynqQueue had, for the rules about changes. With problems,
 * the manifest holds what was good; whether half a file is used is the caller's to say.
 */
export function readManifest(
  file: string,
  text: string,
  schema: AsynqQueueSchema,
  before: (key: string) => AsynqQueueSpec | undefined = () => undefined,
): ManifestReading {
  const { objects, problems: broken } = readObjects(text);
  const problems = broken.map(({ position, message }) => ({ file, ...position, field: '', message }));
  const manifest = {
    file,
    queues: [] as DeclaredQueue[],
    secrets: [] as DeclaredData[],
    configMaps: [] as DeclaredData[],
    others: [] as Manifest['others'][number][],
  };
  const seen = new Map<string, number>();

  for (const object of objects) {
    const refuse = (path: FieldPath, message: string) =>
      problems.push({ file, ...object.position(path), field: pathText(path), message });
    const { line } = object.position([]);
    const identity = identityOf(object, refuse);
    if (identity === undefined) continue;
    const { kind, group, metadata } = identity;

    const twin = `${kind}.${group} ${keyOf({ metadata })}`;
    const first = seen.get(twin);
    if (first !== undefined) {
      refuse(['metadata', 'name'], `${kind} ${keyOf({ metadata })} stands already in line ${first}`);
      continue;
    }
    seen.set(twin, line);

    if (kind === KIND && group === GROUP) {
      const spec = readQueue(object, schema, before(keyOf({ metadata })), refuse);
      if (spec !== undefined) manifest.queues.push({ metadata, spec, line });
    } else if (group === '' && (kind === 'Secret' || kind === 'ConfigMap')) {
      const data = readData(object, kind, refuse);
      (kind === 'Secret' ? manifest.secrets : manifest.configMaps).push({ metadata, data });
    } else {
      manifest.others.push({ kind, name: metadata.name, line });
    }
  }
  return { manifest, problems };
}

/** `queues.yaml:12:5: spec.scaling.maxReplicas: expected at least 1, got 0` */
export function problemText({ file, line, column, field, message }: ManifestProblem): string {
  return [`${file}:${line}:${column}`, ...(field === '' ? [] : [field]), message].join(': ');
}

type Refuse = (path: FieldPath, message: string) => void;

interface Identity {
  readonly kind: string;
  readonly group: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
}

function identityOf(object: ManifestObject, refuse: Refuse): Identity | undefined {
  const { value } = object;
  if (!isObject(value)) {
    refuse([], `expected a Kubernetes object, got ${quote(value)}`);
    return undefined;
  }
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string') refuse(['apiVersion'], 'required, but missing');
  if (typeof kind !== 'string') refuse(['kind'], 'required, but missing');
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  if (kind === KIND && (group !== GROUP || version !== VERSION)) {
    refuse(['apiVersion'], `expected ${GROUP}/${VERSION}, got ${apiVersion}`);
    return undefined;
  }
  if (kind !== KIND && group === GROUP) {
    refuse(['kind'], `expected ${KIND}, the one kind of ${GROUP}, got ${kind}`);
    return undefined;
  }
  const unnamed = LOCAL_GROUPS.has(group) ? '(unnamed)' : undefined;
  const { name = unnamed, namespace = DEFAULT_NAMESPACE } = isObject(metadata) ? metadata : {};
  if (typeof name !== 'string') {
    refuse(
      ['metadata', 'name'],
      name === undefined ? 'required, but missing' : `expected string, got ${quote(name)}`,
    );
    return undefined;
  }
  if (typeof namespace !== 'string') {
    refuse(['metadata', 'namespace'], `expected string, got ${quote(namespace)}`);
    return undefined;
  }
  return { kind, group, metadata: { namespace, name } };
}

function readQueue(
  object: ManifestObject,
  schema: AsynqQueueSchema,
  before: AsynqQueueSpec | undefined,
  refuse: Refuse,
): AsynqQueueSpec | undefined {
  const old = before && ({ spec: before } as unknown as Json);
  const { value, violations } = schema.judge(object.value, old);
  for (const { path, message } of violations) refuse(path, message);
  if (violations.length > 0 || !isObject(value)) return undefined;
  return value['spec'] as unknown as AsynqQueueSpec;
}

/** What the API server takes as a key, each of which is the name of a file. */
const DATA_KEY = /^(?!\.\.?$|\.\.)[-._A-Za-z0-9]{1,253}$/;

/** `data` of a ConfigMap is text; that of a Secret is base64, and its `stringData` wins, as in the API server. */
function readData(
  object: ManifestObject,
  kind: 'Secret' | 'ConfigMap',
  refuse: Refuse,
): Record<string, string> {
  const fields = kind === 'Secret' ? (['data', 'stringData'] as const) : (['data'] as const);
  const data: Record<string, string> = {};
  for (const field of fields) {
    const entries = isObject(object.value) ? (object.value[field] ?? {}) : {};
    if (!isObject(entries)) {
      refuse([field], 'expected an object of strings');
      continue;
    }
    for (const [key, value] of Object.entries(entries)) {
      const isBase64 = kind === 'Secret' && field === 'data';
      const text = isBase64 ? fromBase64(value) : value;
      if (!DATA_KEY.test(key)) refuse([field, key], 'expected a key of letters, digits, -, _ and .');
      else if (typeof text === 'string') data[key] = text;
      // What came is not shown: it may be a password.
      else refuse([field, key], `expected ${isBase64 ? 'base64' : 'string'}, got something else`);
    }
  }
  return data;
}

/** Undefined: it is something else. Line breaks do not count, as in Go. */
function fromBase64(value: Json): string | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value.replaceAll(/[\r\n]/g, '') ? bytes.toString() : undefined;
}
