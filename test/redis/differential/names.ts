/* Names in sequences are few, so that tasks collide. */

export const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'with: colon', 'ñ 📷', '{x}'] as const;
export const GROUPS = ['g', 'g: 1', '{x}'] as const;
export const TYPES = ['t', 'email:send', 'imágenes'] as const;
export const PAYLOADS = [null, '', 'x', '{"a":1}'] as const;
