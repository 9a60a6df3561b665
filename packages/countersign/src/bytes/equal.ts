/**
 * Tells whether two texts are the same, in time that depends on their lengths alone.
 * For MACs rendered as base64 or hex: the length of the right one is public, its characters are not.
 */
export function equalText(given: string, right: string): boolean {
  const { length } = right
  if (given.length !== length) return false
  let difference = 0
  for (let i = 0; i < length; i++) difference |= given.charCodeAt(i) ^ right.charCodeAt(i)
  return difference === 0
}

/** Tells whether two byte arrays are the same, in time that depends on their lengths alone. */
export function equalBytes(given: Uint8Array, right: Uint8Array): boolean {
  if (given.length !== right.length) return false
  let difference = 0
  for (let i = 0; i < given.length; i++) difference |= (given[i] ?? 0) ^ (right[i] ?? 0)
  return difference === 0
}

/**
 * Tells whether two MACs, as text or as bytes, are the same, in time that depends on their lengths alone. For checks of one's own,
 * in place of `===`; verifiers compare so by themselves. Text and bytes are never the same.
 */
export function safeEqual(given: string | Uint8Array, right: string | Uint8Array): boolean {
  if (typeof given === 'string') return typeof right === 'string' && equalText(given, right)
  return typeof right !== 'string' && equalBytes(given, right)
}
