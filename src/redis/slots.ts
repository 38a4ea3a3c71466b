/** Number of key slots of a Redis Cluster. */
export const SLOT_COUNT = 16_384;

/** CRC16/XMODEM (polynomial 0x1021), one step of a byte at a time. */
const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/**
 * The slot of a key, as CLUSTER KEYSLOT has it: CRC16 of its UTF-8 bytes, or of what stands between its first `{` and the
 * next `}` when that is not empty.
 */
export function keySlot(key: string): number {
  const tag = hashTag(key);
  let crc = 0;
  for (let i = 0; i < tag.length; i++) {
    const unit = tag.charCodeAt(i);
    if (unit > 0x7f) return crcOfBytes(Buffer.from(tag)) % SLOT_COUNT;
    crc = step(crc, unit);
  }
  return crc % SLOT_COUNT;
}

function hashTag(key: string): string {
  const open = key.indexOf('{');
  if (open === -1) return key;
  const close = key.indexOf('}', open + 1);
  return close === -1 || close === open + 1 ? key : key.slice(open + 1, close);
}

function crcOfBytes(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = step(crc, byte);
  return crc;
}

function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (CRC_TABLE[(crc >> 8) ^ byte] ?? 0);
}
