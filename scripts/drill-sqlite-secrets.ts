import { createHash } from 'node:crypto'

/** The master key of the drill. */
export const drillMaster: Uint8Array = createHash('sha256').update('countersign drill').digest()

/** The secret that a version of a drill's credential has: known to whoever knows its id, so that it can be checked. */
export function drillSecret(id: string, version: number): Uint8Array {
  return createHash('sha256').update(`${id} ${version}`).digest()
}
