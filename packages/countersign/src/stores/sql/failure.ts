import { CountersignError } from '../../reasons/error.ts'

/** Runs work on a database and turns what the driver throws into `store-failed`, with the driver's error as cause. */
export async function onDatabase<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new CountersignError('store-failed', `${what}: the database could not do it${code}`, { cause })
  }
}
