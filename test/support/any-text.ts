import * as fc from 'fast-check';

/** Any JavaScript text, halves of surrogate pairs too. (fast-check's own of that kind takes two seconds to set up.) */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })))
  .map((units) => String.fromCharCode(...units));
