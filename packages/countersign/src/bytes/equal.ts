/**
 * Tells whether two texts are the same, in time that depends on the length of `given` alone.
 * For MACs rendered as base64 or hex: the length of the right one is public, its characters are not.
 */
export function equalText(given: string, right: string): boolean {
  let difference = given.length ^ right.length
  // A missing position reads as NaN, which `^` takes as 0; the length difference above already decided.
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ right.charCodeAt(i)
  return difference === 0
}

/** Tells whether two byte arrays are the same, in time that depends on the length of `given` alone. */
export function equalBytes(given: Uint8Array, right: Uint8Array): boolean {
  let difference = given.length ^ right.length
  for (let i = 0; i < given.length; i++) difference |= (given[i] ?? 0) ^ (right[i] ?? 0)
  return difference === 0
}
