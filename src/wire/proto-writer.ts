import { Scratch } from '../runtime/scratch.ts';

/** Of a number, at most. */
const VARINT_BYTES = 10;

const LENGTH_DELIMITED = 2;

/**
 * Writes the fields of protobuf messages, one message after the other; zero values are left out, as in proto3.
 *
 * The library's writer gives each message an array of its own, which costs more than all the rest: it lies outside the
 * heap.
 */
export class ProtoWriter {
  readonly #out = new Scratch();

  /** Begins a message, whatever became of the one before. */
  begin(): this {
    this.#out.clear();
    return this;
  }

  /** The bytes written since `begin`. */
  finish(): Buffer {
    return this.#out.take();
  }

  /** @throws TypeError for text that is not Unicode */
  text(no: number, text: string): void {
    if (text !== '') this.#text(no, text);
  }

  bytes(no: number, bytes: Uint8Array): void {
    const { byteLength } = bytes;
    if (byteLength === 0) return;
    this.#out.reserve(2 * VARINT_BYTES + byteLength);
    this.#head(no, byteLength);
    this.#out.add(bytes);
  }

  /** @throws TypeError for what is not an integer of 32 bits */
  int32(no: number, value: number): void {
    if ((value | 0) !== value) throw new TypeError(`expected an integer of 32 bits, got ${value}`);
    this.int64(no, value);
  }

  /** @throws TypeError for what is not an integer that a number holds exactly */
  int64(no: number, value: number): void {
    if (value === 0) return;
    if (!Number.isSafeInteger(value)) throw new TypeError(`expected an integer, got ${value}`);
    this.#out.reserve(2 * VARINT_BYTES);
    this.#varint(no * 8);
    if (value > 0) this.#varint(value);
    else this.#negative(value);
  }

  /** A map's entry: its key is field 1, its value field 2, and they are written even when empty. */
  entry(no: number, key: string, value: string): void {
    this.#out.reserve(2 * VARINT_BYTES);
    this.#head(no, textFieldBytes(key) + textFieldBytes(value));
    this.#text(1, key);
    this.#text(2, value);
  }

  /** A field that was read from another message. */
  raw(no: number, wireType: number, data: Uint8Array): void {
    this.#out.reserve(VARINT_BYTES + data.byteLength);
    this.#varint(no * 8 + wireType);
    this.#out.add(data);
  }

  #text(no: number, text: string): void {
    const out = this.#out;
    out.reserve(2 * VARINT_BYTES + 3 * text.length);
    const start = out.end;
    this.#head(no, text.length);
    const bytes = out.bytes.write(text, out.end);
    out.end += bytes;
    if (bytes === text.length) return;
    // There is more than ASCII in it, and its length was another.
    if (!text.isWellFormed()) {
      throw new TypeError(`expected Unicode text, got half of a surrogate pair in ${JSON.stringify(text)}`);
    }
    out.end = start;
    this.#head(no, bytes);
    out.end += out.bytes.write(text, out.end);
  }

  /** Tag and length of a field that is delimited by its length. */
  #head(no: number, length: number): void {
    this.#varint(no * 8 + LENGTH_DELIMITED);
    this.#varint(length);
  }

  #varint(value: number): void {
    const { bytes } = this.#out;
    let { end } = this.#out;
    let rest = value;
    // Beyond 31 bits the operators on bits do not reach.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) bytes[end++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) bytes[end++] = (rest & 0x7f) | 0x80;
    bytes[end++] = rest;
    this.#out.end = end;
  }

  /** The two's complement in 64 bits. */
  #negative(value: number): void {
    const { bytes } = this.#out;
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes[this.#out.end++] = Number(rest & 0x7fn) | 0x80;
    bytes[this.#out.end++] = Number(rest);
  }
}

/** Of a field with a number below 16. */
function textFieldBytes(text: string): number {
  const length = Buffer.byteLength(text);
  let bytes = 2 + length;
  for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
