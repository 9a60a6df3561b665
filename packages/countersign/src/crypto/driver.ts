import { base64urlEncode } from '../bytes/base64.ts'
import type { BodyProblem, MaybePromise } from '../message/body.ts'
import { bodyProblem, isPromise } from '../message/body.ts'
import type { BodyDigestNeed, BodyNeed, Driver } from '../steps/need.ts'
import type { Backend } from './backend.ts'

const noBytes = new Uint8Array(0)

/** The needs that cryptography and the message itself answer. Stores answer the others. */
export type CryptoDriver = Pick<Driver, 'body' | 'body-digest' | 'mac' | 'verify' | 'sign' | 'random'>

/** Answers needs with a backend. */
export function cryptoDriver(backend: Backend): CryptoDriver {
  return {
    body: readBody,
    'body-digest': (need) => digestBody(need, backend),
    mac: (need) => backend.mac(need.hash, need.secret, need.base, need.encoding),
    verify: (need) => backend.verify(need.algorithm, need.key, need.base, need.signature),
    sign: (need) => backend.sign(need.algorithm, need.key, need.base),
    random: ({ byteLength }) =>
      backend.randomText?.(byteLength) ?? base64urlEncode(backend.random(byteLength)),
  }
}

function readBody({ body, limitBytes }: BodyNeed): MaybePromise<Uint8Array | BodyProblem> {
  if (body === undefined) return noBytes
  if (!(body instanceof Uint8Array)) return body.bytes(limitBytes)
  return body.length > limitBytes ? bodyProblem('too-large') : body
}

function digestBody(need: BodyDigestNeed, backend: Backend): MaybePromise<readonly string[] | BodyProblem> {
  const { body, hashNames, limitBytes } = need
  if (body !== undefined && !(body instanceof Uint8Array) && body.digests !== undefined) {
    return body.digests(hashNames, limitBytes)
  }
  const read = readBody({ kind: 'body', body, limitBytes })
  return isPromise(read)
    ? read.then((bytes) => digestBytes(bytes, need, backend))
    : digestBytes(read, need, backend)
}

function digestBytes(
  bytes: Uint8Array | BodyProblem,
  { hashNames }: BodyDigestNeed,
  backend: Backend,
): MaybePromise<readonly string[] | BodyProblem> {
  if (!(bytes instanceof Uint8Array)) return bytes
  const digests: string[] = []
  const later: Promise<string>[] = []
  for (const hash of hashNames) {
    const digest = backend.digest(hash, bytes, 'base64')
    if (typeof digest === 'string') digests.push(digest)
    else later.push(digest)
  }
  // A backend answers either always at once or always later.
  return later.length === 0 ? digests : Promise.all(later)
}
