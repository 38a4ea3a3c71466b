/** What needed more does not leave its memory to the next. */
const KEPT_BYTES = 65_536;

/**
 * Bytes that are written one after the other, without their number being known before, over and over in the same memory.
 * What is taken out is a copy, of its own exact size: small ones come from the pool that Node keeps.
 */
export class Scratch {
  bytes: Buffer = Buffer.allocUnsafeSlow(1024);
  /** Where the next byte goes. */
  end = 0;

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.bytes.byteLength) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.byteLength));
    this.bytes.copy(grown, 0, 0, this.end);
    this.bytes = grown;
  }

  /** Adds bytes. Room must be there. */
  add(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.end);
    this.end += bytes.byteLength;
  }

  /** All that was written, and begins anew. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.end);
    this.bytes.copy(taken, 0, 0, this.end);
    this.clear();
    return taken;
  }

  /** Begins anew. */
  clear(): void {
    this.end = 0;
    if (this.bytes.byteLength > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(KEPT_BYTES);
  }
}
