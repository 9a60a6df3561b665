import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import {
  createVerifier,
  memoryCredentials,
  memoryNonces,
  type NonceStore,
  type RequestMessage,
  rfc9421,
  secretFrom,
  type Verifier,
  wireRequest,
} from 'countersign'
import type { Contestant } from './measure.ts'
import { benchKeyId, benchMethod, benchNow, benchSecret, type SignedRequest } from './requests.ts'

/** Contestants that verify requests, and how they get them. */
export interface Verifying {
  readonly contestants: readonly Contestant[]
  /** Hands over requests, signed anew. Call number `i` is about request `i`, counted round. */
  take(requests: readonly SignedRequest[]): void
}

const clock = () => benchNow

/** Makes a verifier as a service would, at the time of the run. */
export function benchVerifier(nonces?: NonceStore): Verifier {
  return createVerifier({
    schemes: [rfc9421()],
    credentials: memoryCredentials([{ id: benchKeyId, secret: secretFrom.bytes(benchSecret) }]),
    clock,
    ...(nonces === undefined ? {} : { nonces }),
  })
}

/** Reads a request as the door of `node:http` does. */
export function benchMessage({ target, rawHeaders, body }: SignedRequest): RequestMessage {
  return wireRequest({ method: benchMethod, target, scheme: 'http', fields: rawHeaders, body })
}

/** The bare crypto of a naive check, and countersign in each form. The bare crypto comes first: it is what the others are held against. */
export function verifying(requests: readonly SignedRequest[]): Verifying {
  let current = requests
  const at = (i: number): SignedRequest => {
    const request = current[i % current.length]
    if (request === undefined) throw new Error('no requests')
    return request
  }
  const key = createSecretKey(benchSecret)
  const plain = benchVerifier()
  const once = benchVerifier(memoryNonces({ clock }))
  const onceAwaited = benchVerifier(memoryNonces({ clock }))
  return {
    take(signed) {
      current = signed
    },
    contestants: [
      {
        name: 'bare crypto: createHmac, createHash, two timingSafeEqual',
        run: (i) => {
          const { base, body, mac, digest } = at(i)
          return (
            timingSafeEqual(createHmac('sha256', key).update(base).digest(), mac) &&
            timingSafeEqual(createHash('sha256').update(body).digest(), digest)
          )
        },
        check: mustBeTrue,
      },
      {
        name: 'countersign verifySync',
        run: (i) => plain.verifySync(benchMessage(at(i))),
        check: mustBeOk,
        atMost: 1.25,
      },
      {
        name: 'countersign verify, awaited',
        run: (i) => plain.verify(benchMessage(at(i))),
        check: mustBeOk,
        atMost: 1.25,
      },
      {
        name: 'countersign verifySync with memoryNonces',
        run: (i) => once.verifySync(benchMessage(at(i))),
        check: mustBeOk,
      },
      {
        name: 'countersign verify, awaited, with memoryNonces',
        run: (i) => onceAwaited.verify(benchMessage(at(i))),
        check: mustBeOk,
      },
    ],
  }
}

/** @throws Error where a contestant did not say that a good request is good. */
export function mustBeTrue(given: unknown): void {
  if (given !== true) throw new Error('a good request was refused')
}

/** @throws Error where a verdict refuses. */
export function mustBeOk(given: unknown): void {
  if (typeof given === 'object' && given !== null && 'ok' in given && given.ok === true) return
  throw new Error(`a good request was refused: ${JSON.stringify(given)}`)
}
