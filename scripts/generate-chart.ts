/**
 * Keeps the chart in step with what it is made from: its copy of the CRD (a chart can read its own files only), the schema
 * of the value `redis` (the words of AsynqQueue's spec.redis) and the table of values in its README.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { isMap, isScalar, parse, parseDocument, type YAMLMap } from 'yaml';

const CRD = 'crds/asynq.dev_asynqqueues.yaml';
const CHART = 'charts/asynq-operator';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly [keyword: string]: unknown;
}

/** A structural schema as plain JSON Schema, closed against unknown fields as the API server is. */
function plain(schema: Schema): Schema {
  const { properties, items, description: _, default: __, ...keywords } = schema;
  const known = Object.entries(keywords).filter(([keyword]) => !keyword.startsWith('x-kubernetes-'));
  return {
    ...Object.fromEntries(known),
    ...(items === undefined ? {} : { items: plain(items) }),
    ...(properties === undefined
      ? {}
      : {
          additionalProperties: false,
          properties: Object.fromEntries(Object.entries(properties).map(([name, it]) => [name, plain(it)])),
        }),
  };
}

function redisSchema(): Schema {
  const crd = parse(readFileSync(CRD, 'utf8')) as {
    spec: { versions: [{ schema: { openAPIV3Schema: Schema } }] };
  };
  const redis = crd.spec.versions[0].schema.openAPIV3Schema.properties?.['spec']?.properties?.['redis'];
  if (redis === undefined) throw new Error(`${CRD} has no spec.redis`);
  return plain(redis);
}

interface Value {
  readonly path: string;
  readonly description: string;
  readonly value: unknown;
}

/** The values in order; one without a comment of its own is a group of those below it. */
function values(map: YAMLMap, parent = ''): Value[] {
  return map.items.flatMap(({ key, value }, index): Value[] => {
    if (!isScalar(key)) return [];
    const path = `${parent}${String(key.value)}`;
    // The comment above the first key of a map belongs, for the parser, to the map.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined);
    const description = comment?.split('\n\n').at(-1)?.trim().replaceAll(/\s+/g, ' ');
    if (isMap(value) && value.items.length > 0 && description === undefined) return values(value, `${path}.`);
    if (description === undefined) throw new Error(`${CHART}/values.yaml: ${path} has no comment`);
    return [{ path, description, value: value === null ? null : (value as { toJSON(): unknown }).toJSON() }];
  });
}

function table(): string {
  const { contents } = parseDocument(readFileSync(`${CHART}/values.yaml`, 'utf8'));
  if (!isMap(contents)) throw new Error(`${CHART}/values.yaml is not a map`);
  const rows = values(contents).map(
    ({ path, description, value }) => `| \`${path}\` | ${description} | \`${JSON.stringify(value)}\` |`,
  );
  return ['| value | what it is | default |', '|---|---|---|', ...rows].join('\n');
}

copyFileSync(CRD, `${CHART}/files/asynq.dev_asynqqueues.yaml`);

const schemaFile = `${CHART}/values.schema.json`;
const schema = JSON.parse(readFileSync(schemaFile, 'utf8')) as { $defs: Record<string, unknown> };
schema.$defs['redis'] = redisSchema();
writeFileSync(schemaFile, `${JSON.stringify(schema, undefined, 2)}\n`);

const readmeFile = `${CHART}/README.md`;
const readme = readFileSync(readmeFile, 'utf8');
writeFileSync(
  readmeFile,
  readme.replace(/(<!-- values:.*-->\n)[^]*(<!-- \/values -->)/, `$1\n${table()}\n\n$2`),
);
