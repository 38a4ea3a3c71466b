/** A message that needed more does not leave its buffer to the next. */
const KEPT_BYTES = 65_536;

/** Of a number, at most. */
const VARINT_BYTES = 10;

/**
 * Writes the fields of protobuf messages, one message after the other; zero values are left out, as in proto3.
 *
 * The library's writer gives each message an array of its own, which costs more than all the rest: it lies outside the
 * heap. Here messages grow in one buffer, and leave it for the pool that Node keeps for small ones.
 */
export class ProtoWriter {
  #buffer = Buffer.allocUnsafeSlow(1024);
  #end = 0;

  /** Begins a message, whatever became of the one before. */
  begin(): this {
    this.#end = 0;
    return this;
  }

  /** The bytes written since `begin`. */
  finish(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#end);
    this.#buffer.copy(bytes, 0, 0, this.#end);
    if (this.#buffer.byteLength > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(KEPT_BYTES);
    return bytes;
  }

  /** @throws TypeError for text that is not Unicode */
  text(no: number, text: string): void {
    if (text !== '') this.#text(no, text);
  }

  bytes(no: number, bytes: Uint8Array): void {
    const { byteLength } = bytes;
    if (byteLength === 0) return;
    this.#reserve(2 * VARINT_BYTES + byteLength);
    this.#head(no, byteLength);
    this.#buffer.set(bytes, this.#end);
    this.#end += byteLength;
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
    this.#reserve(2 * VARINT_BYTES);
    this.#varint(no * 8);
    if (value > 0) this.#varint(value);
    else this.#negative(value);
  }

  /** A map's entry: its key is field 1, its value field 2, and they are written even when empty. */
  entry(no: number, key: string, value: string): void {
    const lengths = [Buffer.byteLength(key), Buffer.byteLength(value)].map(
      (length) => 1 + varintBytes(length) + length,
    );
    this.#reserve(2 * VARINT_BYTES);
    this.#head(
      no,
      lengths.reduce((sum, length) => sum + length),
    );
    this.#text(1, key);
    this.#text(2, value);
  }

  /** A field that was read from another message, tag included. */
  raw(no: number, wireType: number, data: Uint8Array): void {
    this.#reserve(VARINT_BYTES + data.byteLength);
    this.#varint(no * 8 + wireType);
    this.#buffer.set(data, this.#end);
    this.#end += data.byteLength;
  }

  #text(no: number, text: string): void {
    this.#reserve(2 * VARINT_BYTES + 3 * text.length);
    const start = this.#end;
    this.#head(no, text.length);
    const bytes = this.#buffer.write(text, this.#end);
    this.#end += bytes;
    if (bytes === text.length) return;
    // There is more than ASCII in it, and its length was another.
    if (!text.isWellFormed()) {
      throw new TypeError(`expected Unicode text, got half of a surrogate pair in ${JSON.stringify(text)}`);
    }
    this.#end = start;
    this.#head(no, bytes);
    this.#end += this.#buffer.write(text, this.#end);
  }

  /** Tag and length of a field that is delimited by its length. */
  #head(no: number, length: number): void {
    this.#varint(no * 8 + 2);
    this.#varint(length);
  }

  #varint(value: number): void {
    const buffer = this.#buffer;
    let end = this.#end;
    let rest = value;
    // Beyond 31 bits the operators on bits do not reach.
    for (; rest > 0x7fff_ffff; rest = Math.floor(rest / 128)) buffer[end++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) buffer[end++] = (rest & 0x7f) | 0x80;
    buffer[end++] = rest;
    this.#end = end;
  }

  /** The two's complement in 64 bits. */
  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#end++] = Number(rest & 0x7fn) | 0x80;
    this.#buffer[this.#end++] = Number(rest);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.byteLength) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.byteLength));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
