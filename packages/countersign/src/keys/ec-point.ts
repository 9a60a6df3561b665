import { hexEncode } from '../bytes/hex.ts'

/** A curve y^2 = x^3 - 3x + b over a prime field. SP 800-186 section 3.2.1. */
interface Curve {
  readonly prime: bigint
  readonly b: bigint
}

const curves: Readonly<Record<'p256' | 'p384', Curve>> = {
  p256: {
    prime: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  p384: {
    prime: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
}

/**
 * Tells whether two coordinates, big-endian, are those of a point on the curve. Asked here and not of the runtime:
 * the WebCrypto of Deno 2.9 imports points off the curve. The cofactor is 1, so every such point has full order.
 */
export function isEcPointOnCurve(kind: 'p256' | 'p384', x: Uint8Array, y: Uint8Array): boolean {
  const { prime, b } = curves[kind]
  const [x1, y1] = [numberOf(x), numberOf(y)]
  return x1 < prime && y1 < prime && (y1 * y1 - (x1 * x1 - 3n) * x1 - b) % prime === 0n
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${hexEncode(bytes)}`)
}
