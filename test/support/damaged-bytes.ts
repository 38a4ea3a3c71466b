import * as fc from 'fast-check';

type Damage =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

const place = fc.nat(2 ** 16);

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('set' as const), at: place, byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
);

/** Bytes that were a message once: cut off, overwritten or grown in some places; or never were one. */
export function damagedBytes(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const damaged = fc.tuple(whole, fc.array(damage, { minLength: 1, maxLength: 4 }));
  return fc.oneof(
    { weight: 4, arbitrary: damaged.map(([bytes, all]) => all.reduce(applied, bytes)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
  );
}

function applied(bytes: Uint8Array, one: Damage): Uint8Array {
  const at = one.at % (bytes.byteLength + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (one.kind) {
    case 'cut':
      return before;
    case 'set':
      return new Uint8Array([...before, one.byte, ...after.subarray(1)]);
    case 'insert':
      return new Uint8Array([...before, ...one.bytes, ...after]);
    default:
      return one satisfies never;
  }
}
