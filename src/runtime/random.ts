/** Where jitter and chance come from: a number in [0, 1). Tests hand in their own. */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();
