/**
 * Writes src/operator/gen/asynq-queue.ts from the CRD, so that the YAML stays the only place where the API is defined.
 * A property with a default counts as present: the types are those of an object that has passed the API server.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { parse } from 'yaml';

interface CrdSchema {
  type?: string;
  description?: string;
  properties?: Record<string, CrdSchema>;
  items?: CrdSchema;
  additionalProperties?: CrdSchema;
  required?: string[];
  default?: unknown;
  enum?: unknown[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
}

interface Crd {
  spec: { versions: { name: string; schema: { openAPIV3Schema: CrdSchema } }[] };
}

const CRD = new URL('../crds/asynq.dev_asynqqueues.yaml', import.meta.url);
const OUT = new URL('../src/operator/gen/asynq-queue.ts', import.meta.url);

/** The part of a structural schema that says something about types, closed against unknown fields as the API server is. */
function jsonSchema(crd: CrdSchema): JSONSchema {
  const common = crd.description === undefined ? {} : { description: crd.description };
  if (crd['x-kubernetes-int-or-string']) return { ...common, type: ['integer', 'string'] };
  if (crd.enum !== undefined) return { ...common, enum: crd.enum as string[] };
  if (crd.items !== undefined) return { ...common, type: 'array', items: jsonSchema(crd.items) };
  if (crd.type !== 'object') return { ...common, type: crd.type as 'string' };
  const properties = Object.entries(crd.properties ?? {});
  const defaulted = properties.filter(([, property]) => property.default !== undefined).map(([name]) => name);
  return {
    ...common,
    type: 'object',
    properties: Object.fromEntries(properties.map(([name, property]) => [name, jsonSchema(property)])),
    required: [...(crd.required ?? []), ...defaulted],
    additionalProperties: additional(crd),
  };
}

function additional(crd: CrdSchema): JSONSchema | boolean {
  if (crd['x-kubernetes-preserve-unknown-fields']) return true;
  return crd.additionalProperties === undefined ? false : jsonSchema(crd.additionalProperties);
}

async function types(name: string, schema: CrdSchema): Promise<string> {
  return compile(jsonSchema(schema), name, {
    bannerComment: '',
    style: { singleQuote: true, printWidth: 110 },
  });
}

const crd = parse(readFileSync(CRD, 'utf8')) as Crd;
const root = crd.spec.versions[0]?.schema.openAPIV3Schema.properties;
if (root?.spec === undefined || root.status === undefined)
  throw new Error(`${CRD.pathname} has no spec or status`);
writeFileSync(
  OUT,
  [
    '// Generated from crds/asynq.dev_asynqqueues.yaml by scripts/generate-crd-types.ts; do not edit.\n',
    await types('AsynqQueueSpec', root.spec),
    await types('AsynqQueueStatus', root.status),
  ].join('\n'),
);
