import { Ajv, type ErrorObject } from 'ajv';
import { withoutSecrets } from '../runtime/address.ts';
import type { FieldPath, Json, StructuralSchema, Violation } from './structural-schema.ts';

export type Check = (value: Json) => readonly Violation[];

/**
 * Checks values against a CRD's schema as the API server does with strict field validation: a field that the schema does
 * not know is refused, not dropped.
 */
export function compileCheck(schema: StructuralSchema): Check {
  const validate = new Ajv({
    allErrors: true,
    verbose: true,
    strictTypes: false,
    validateFormats: false,
  }).compile(jsonSchema(schema));
  return (value) => (validate(value) ? [] : violations(validate.errors ?? []));
}

/** Keywords that mean the same in JSON Schema. */
const SAME = [
  'type',
  'nullable',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
] as const;

function jsonSchema(schema: StructuralSchema): Record<string, unknown> {
  const same = Object.fromEntries(SAME.flatMap((name) => (name in schema ? [[name, schema[name]]] : [])));
  if (schema['x-kubernetes-int-or-string'] === true) return { ...same, type: ['integer', 'string'] };
  if (schema.type === 'array') return { ...same, ...(schema.items && { items: jsonSchema(schema.items) }) };
  if (schema.type !== 'object') return same;
  const { properties = {}, additionalProperties } = schema;
  return {
    ...same,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, jsonSchema(field)]),
    ),
    additionalProperties:
      additionalProperties === undefined
        ? schema['x-kubernetes-preserve-unknown-fields'] === true
        : jsonSchema(additionalProperties),
  };
}

/** One violation a field and fault: of a value with the wrong type nothing else is said. */
function violations(errors: readonly ErrorObject[]): Violation[] {
  const mistyped = new Set(
    errors.filter(({ keyword }) => keyword === 'type').map((error) => error.instancePath),
  );
  return errors
    .filter((error) => error.keyword === 'type' || !mistyped.has(error.instancePath))
    .map((error) => ({ path: pathOf(error), message: messageOf(error) }));
}

function pathOf(error: ErrorObject): FieldPath {
  const steps = error.instancePath.split('/').slice(1).map(unescapePointer);
  const path = steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  const field = error.params['additionalProperty'] ?? error.params['missingProperty'];
  return typeof field === 'string' ? [...path, field] : path;
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

function messageOf(error: ErrorObject): string {
  const { keyword, params, data, parentSchema = {} } = error;
  const got = `got ${quote(data)}`;
  switch (keyword) {
    case 'additionalProperties': {
      const known = Object.keys(parentSchema['properties'] ?? {});
      return known.length === 0 ? 'unknown field' : `unknown field; known here: ${known.join(', ')}`;
    }
    case 'required':
      return 'required, but missing';
    case 'type':
      return `expected ${[params['type']].flat().join(' or ')}, ${got}`;
    case 'enum':
      return `expected one of ${(params['allowedValues'] as unknown[]).join(', ')}, ${got}`;
    case 'minimum':
      return `expected at least ${params['limit']}, ${got}`;
    case 'maximum':
      return `expected at most ${params['limit']}, ${got}`;
    case 'pattern':
      return `expected a match of ${params['pattern']}, ${got}`;
    case 'minLength':
      return params['limit'] === 1
        ? 'must not be empty'
        : `expected at least ${params['limit']} characters, ${got}`;
    case 'maxLength':
      return `expected at most ${params['limit']} characters`;
    case 'minItems':
    case 'maxItems':
      return `expected at ${keyword === 'minItems' ? 'least' : 'most'} ${params['limit']} items, got ${(data as unknown[]).length}`;
    default:
      return error.message ?? keyword;
  }
}

/** A value as it stands in an error: short, on one line, and no address with a password in it. */
export function quote(value: unknown): string {
  const text = withoutSecrets(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
