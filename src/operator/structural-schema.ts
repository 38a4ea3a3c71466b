export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What is used here of a CRD's `openAPIV3Schema` (apiextensions.k8s.io/v1). */
export interface StructuralSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly default?: Json;
  readonly nullable?: boolean;
  readonly enum?: readonly Json[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
}

/** Where in a document: names of fields and indexes of lists. */
export type FieldPath = readonly (string | number)[];

/** What is wrong with one field. */
export interface Violation {
  readonly path: FieldPath;
  readonly message: string;
}

/** `spec.worker.template.spec.containers[0].name`, as the API server writes it. */
export function pathText(path: FieldPath): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value as the API server reads it before it validates: a null where none may be is dropped, or replaced by the
 * default; a missing field gets its default; and so on within what is there, defaults included.
 */
export function withDefaults(schema: StructuralSchema, value: Json): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item: Json) => withDefaults(items, item));
  }
  if (!isObject(value)) return value;
  const { properties = {}, additionalProperties } = schema;
  const filled = Object.entries(value).flatMap(([name, field]): [string, Json][] => {
    const within = properties[name] ?? additionalProperties;
    if (within === undefined) return [[name, field]];
    return field === null && within.nullable !== true ? [] : [[name, withDefaults(within, field)]];
  });
  const given = new Set(filled.map(([name]) => name));
  for (const [name, within] of Object.entries(properties)) {
    if (!given.has(name) && within.default !== undefined)
      filled.push([name, withDefaults(within, within.default)]);
  }
  return Object.fromEntries(filled);
}
