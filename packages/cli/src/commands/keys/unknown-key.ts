import { Failure } from '../../failure.ts'
import { printable } from '../../output.ts'

/** Makes the failure of a key id that is not there. */
export function unknownKey(id: string): Failure {
  return new Failure('key-unknown', `there is no key "${printable(id)}"; countersign keys list shows all`)
}
