import { InvalidArgumentError } from 'commander'

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Longest duration taken, in seconds: ten years of 365 days. */
const longestSeconds = 315_360_000

/**
 * Reads a duration such as `90s`, `30m`, `24h` or `7d` as seconds: one whole number without leading zero, one unit.
 * @throws InvalidArgumentError for anything else, and beyond ten years.
 */
export function readDuration(text: string): number {
  const match = /^(0|[1-9][0-9]{0,8})([smhd])$/.exec(text)
  const seconds = Number(match?.[1]) * (secondsOf[match?.[2] ?? ''] ?? Number.NaN)
  if (!(seconds <= longestSeconds)) {
    throw new InvalidArgumentError(
      'Expected a whole number and a unit, such as 90s, 30m, 24h or 7d, up to 3650d.',
    )
  }
  return seconds
}

/** As `readDuration`, but at least one second. */
export function readPositiveDuration(text: string): number {
  const seconds = readDuration(text)
  if (seconds === 0) throw new InvalidArgumentError('Expected more than nothing, such as 90s.')
  return seconds
}

/** An instant as whole seconds since the epoch, or a span from now. */
export type InstantOrSpan = { readonly at: number } | { readonly inSeconds: number }

/**
 * Reads an instant in UTC (`2030-01-31` or `2030-01-31T12:00:00Z`), or a duration from now (`90d`).
 * @throws InvalidArgumentError for anything else, a day that does not exist among it.
 */
export function readInstantOrSpan(text: string): InstantOrSpan {
  if (!text.includes('-')) return { inSeconds: readPositiveDuration(text) }
  return { at: readInstant(text) }
}

/**
 * Reads an instant: whole seconds since the epoch, a UTC day, or a UTC time with seconds.
 * @throws InvalidArgumentError for anything else.
 */
export function readInstant(text: string): number {
  if (/^[1-9][0-9]{0,10}$/.test(text)) return Number(text)
  const full = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  const shaped = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(full)
  const milliseconds = shaped ? Date.parse(full) : Number.NaN
  // Date.parse takes 31 February for 3 March; the way back shows it.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== full.replace('Z', '.000Z')) {
    throw new InvalidArgumentError(
      'Expected a time in UTC such as 2030-01-31T12:00:00Z, or a day such as 2030-01-31.',
    )
  }
  return milliseconds / 1000
}

/** Writes an instant in whole seconds as UTC text. */
export function instantText(at: number): string {
  return new Date(at * 1000).toISOString().replace('.000Z', 'Z')
}
