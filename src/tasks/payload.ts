import { AsynqError, errorText } from '../runtime/errors.ts';
import { kindOf } from '../runtime/kind-of.ts';

/** What a payload may be made of: bytes as they are, anything else as JSON; `null` is no payload at all. */
export type PayloadInput = Uint8Array | ArrayBuffer | object | string | number | boolean | null;

/**
 * The data of a task. Asynq keeps it as bytes and looks at it nowhere; by convention they are a JSON object, whose fields
 * the getters read: each brings a value of its kind, or throws ASYNQ_PAYLOAD_FIELD with the field's name, what was
 * expected and what came. Values are not converted: `"7"` is no integer.
 */
export class Payload {
  readonly bytes: Uint8Array;
  /** No payload was given, which makes another unique key than an empty one. */
  readonly isNil: boolean;
  #fields: Readonly<Record<string, unknown>> | undefined;

  constructor(bytes: Uint8Array | null) {
    this.bytes = bytes ?? NO_BYTES;
    this.isNil = bytes === null;
  }

  /** The payload of a message, which does not tell an empty one from none. */
  static ofMessage(bytes: Uint8Array): Payload {
    return new Payload(bytes.byteLength === 0 ? null : bytes);
  }

  /** @throws ASYNQ_PAYLOAD_NOT_JSON for what JSON cannot say (functions, cycles, bigints) */
  static of(input: PayloadInput): Payload {
    if (input === null) return new Payload(null);
    if (input instanceof ArrayBuffer) return new Payload(new Uint8Array(input));
    if (ArrayBuffer.isView(input)) {
      return new Payload(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    }
    return new Payload(Buffer.from(toJson(input)));
  }

  /** The bytes as UTF-8 text. */
  text(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength).toString();
  }

  /** The bytes as JSON. @throws ASYNQ_PAYLOAD_NOT_JSON */
  json(): unknown {
    try {
      return JSON.parse(this.text());
    } catch (cause) {
      throw new AsynqError('ASYNQ_PAYLOAD_NOT_JSON', `expected a payload in JSON: ${errorText(cause)}`, {
        cause,
      });
    }
  }

  /** Whether the object has the field, be it null. */
  has(field: string): boolean {
    return Object.hasOwn(this.#object(), field);
  }

  getString(field: string): string {
    return this.#get(field, 'a string', isString);
  }

  /** An integer that a number holds exactly, below 2^53; greater ones are for `getBigInt`. */
  getInt(field: string): number {
    return this.#get(field, 'an integer below 2^53', Number.isSafeInteger as Is<number>);
  }

  /** An integer of any size, with all its digits. */
  getBigInt(field: string): bigint {
    const value = this.#get(field, 'an integer', Number.isInteger as Is<number>);
    return Number.isSafeInteger(value) ? BigInt(value) : this.#exact(field);
  }

  getFloat(field: string): number {
    return this.#get(field, 'a number', isNumber);
  }

  getBool(field: string): boolean {
    return this.#get(field, 'a boolean', (value) => typeof value === 'boolean');
  }

  /** A time written as text, as in RFC 3339. */
  getTime(field: string): Date {
    return new Date(this.#get(field, 'a time as text', isTime));
  }

  getStringSlice(field: string): string[] {
    return this.#get(field, 'an array of strings', isArrayOf(isString));
  }

  getIntSlice(field: string): number[] {
    return this.#get(field, 'an array of integers below 2^53', isArrayOf(Number.isSafeInteger as Is<number>));
  }

  /** An object, as it is. */
  getStringMap(field: string): Record<string, unknown> {
    return this.#get(field, 'an object', isObject);
  }

  #get<T>(field: string, expected: string, is: Is<T>): T {
    const object = this.#object();
    const value = Object.hasOwn(object, field) ? object[field] : undefined;
    if (is(value)) return value;
    throw new AsynqError(
      'ASYNQ_PAYLOAD_FIELD',
      `payload field "${field}": expected ${expected}, got ${kindOf(value)}`,
    );
  }

  #object(): Readonly<Record<string, unknown>> {
    if (this.#fields !== undefined) return this.#fields;
    const value = this.json();
    if (!isObject(value)) {
      throw new AsynqError(
        'ASYNQ_PAYLOAD_NOT_JSON',
        `expected a payload that is a JSON object, got ${kindOf(value)}`,
      );
    }
    this.#fields = value;
    return value;
  }

  /** Reads the payload again, this time with the digits of the field. */
  #exact(field: string): bigint {
    const root = (JSON.parse as ParseWithSource)(this.text(), (_, value, { source = '' }) =>
      typeof value === 'number' && /^-?\d+$/.test(source) ? BigInt(source) : value,
    ) as Record<string, unknown>;
    return BigInt(root[field] as number | bigint);
  }
}

type Is<T> = (value: unknown) => value is T;

/** `JSON.parse` as it is; the standard library's types do not know its third argument yet. */
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

const NO_BYTES = new Uint8Array(0);

function toJson(input: unknown): string {
  try {
    const text = JSON.stringify(input);
    if (typeof text === 'string') return text;
  } catch (cause) {
    throw new AsynqError('ASYNQ_PAYLOAD_NOT_JSON', `the payload cannot be JSON: ${errorText(cause)}`, {
      cause,
    });
  }
  throw new AsynqError('ASYNQ_PAYLOAD_NOT_JSON', `the payload cannot be JSON: it is a ${typeof input}`);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isTime(value: unknown): value is string {
  return isString(value) && !Number.isNaN(Date.parse(value));
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isArrayOf<T>(is: Is<T>): Is<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every(is);
}
