import { type SignatureAlgorithm, signatureAlgorithms } from '../../algorithms/signatures.ts'
import { hexDecode } from '../../bytes/hex.ts'
import { CountersignError, type ErrorCode } from '../../reasons/error.ts'

/** One behaviour of a backend, for any test runner: `run` rejects with a plain Error where it is not met. */
export interface BackendBehaviour {
  readonly name: string
  readonly run: () => Promise<void>
}

/** Fails the behaviour where a statement does not hold. */
export function check(holds: boolean, statement: string): void {
  if (!holds) throw new Error(`the backend contract is not met: ${statement}`)
}

/** Fails the behaviour where two texts differ. For published values; never for what must stay secret. */
export function checkSame(given: string, right: string, what: string): void {
  check(given === right, `${what}: expected ${right}, got ${given}`)
}

/** Fails the behaviour unless `action` throws, or rejects with, a CountersignError of this code. */
export async function checkRefused(code: ErrorCode, what: string, action: () => unknown): Promise<void> {
  let failure: unknown
  try {
    await action()
  } catch (caught) {
    failure = caught
  }
  check(failure !== undefined, `${what}: expected ${code}, got no error`)
  const given = failure instanceof CountersignError ? failure.code : String(failure)
  check(given === code, `${what}: expected ${code}, got ${given}`)
}

/** Gives the bytes of hexadecimal digits. */
export function hex(digits: string): Uint8Array {
  const bytes = hexDecode(digits)
  if (bytes === undefined) throw new Error('the contract has a value that is not hexadecimal')
  return bytes
}

/** Gives a row of the algorithm table. */
export function algorithmNamed(name: string): SignatureAlgorithm {
  const algorithm = signatureAlgorithms.get(name)
  if (algorithm === undefined) throw new Error(`the algorithm table lacks ${name}`)
  return algorithm
}
