/** Four 32-bit lanes of a token's hash. */
export type HashLanes = Int32Array

/**
 * Makes a keyed hash of text into 128 bits: the round of HalfSipHash-1-3, whole state kept, under a random key of its own.
 * The key keeps senders from choosing tokens that crowd one place. Two of n random tokens meet with a probability of
 * n^2 / 2^129: 1.5e-27 for a million; what follows then is one message refused, never one accepted.
 * @returns Writes the hash of `text` into `lanes`.
 */
export function tokenHasher(): (text: string, lanes: HashLanes) => void {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = globalThis.crypto.getRandomValues(new Int32Array(4))
  return (text, lanes) => {
    let v0 = k0
    let v1 = k1
    let v2 = k2
    let v3 = k3
    const { length } = text
    const padded = (length + 3) & ~3
    for (let i = 0; i <= padded + 12; i += 4) {
      let word = 0
      if (i < length) {
        // Never read behind the end: the NaN that `charCodeAt` gives there makes this loop three times as slow.
        const a = text.charCodeAt(i)
        const b = i + 1 < length ? text.charCodeAt(i + 1) : 0
        const c = i + 2 < length ? text.charCodeAt(i + 2) : 0
        const d = i + 3 < length ? text.charCodeAt(i + 3) : 0
        word = (a & 255) | ((b & 255) << 8) | ((c & 255) << 16) | (d << 24)
        // Upper halves of UTF-16 units, which no token from the wire has, go into a lane of their own.
        if ((a | b | c | d) > 255) v1 ^= (a >> 8) | (b & 0xff00) | ((c & 0xff00) << 8) | ((d & 0xff00) << 16)
      } else if (i === padded) word = length
      else if (i === padded + 4) v2 ^= 0xff
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    lanes[0] = v0
    lanes[1] = v1
    lanes[2] = v2
    lanes[3] = v3
  }
}
