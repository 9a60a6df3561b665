/**
 * Joins scheme, key id and nonce into one token that no other triple gives.
 * The lengths stand in front: with a bare separator `("a", "b:c")` and `("a:b", "c")` would meet.
 */
export function replayToken(scheme: string, keyId: string, nonce: string): string {
  return `${scheme.length}.${keyId.length}:${scheme}${keyId}${nonce}`
}
