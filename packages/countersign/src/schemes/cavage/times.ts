import { fieldValues } from '../../message/field-lines.ts'
import type { RequestMessage } from '../../message/message.ts'
import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { parseHttpDate } from '../../text/http-date.ts'
import type { Settings } from './options.ts'
import type { Parameters } from './parameters.ts'

/** The times that a signature covers. */
export interface Times {
  /** From `(created)`, else from `Date`. Whole seconds since the epoch. */
  readonly createdAt: number | undefined
  /** Whole seconds since the epoch. */
  readonly expiresAt: number | undefined
  /** A form was met that only an option admits. */
  readonly isLoose: boolean
}

const wholeSeconds = /^(?:0|[1-9][0-9]{0,10})$/
// Drafts 11 and 12, section 2.1.5, allow fractions of a second here and nowhere else.
const seconds = /^(?:0|[1-9][0-9]{0,10})(?:\.[0-9]{1,9})?$/
/** How far `Date` and `(created)` may be apart where both are signed. */
const mostApart = 60

/** Reads the times of a signature. What is not in the list is not signed, and counts for nothing. */
export function timesOf(
  message: RequestMessage,
  { names, created, expires }: Pick<Parameters, 'names' | 'created' | 'expires'>,
  { compatible }: Pick<Settings, 'compatible'>,
): Times | Refusal {
  if (created !== undefined && !wholeSeconds.test(created)) return malformed('created is not whole seconds')
  if (expires !== undefined && !seconds.test(expires)) return malformed('expires is not seconds')
  const date = names.includes('date') ? dateOf(message, compatible.has('date-weekday')) : undefined
  if (isRefusal(date)) return date
  const createdAt = names.includes('(created)') && created !== undefined ? Number(created) : undefined
  if (createdAt !== undefined && date !== undefined && Math.abs(createdAt - date.at) > mostApart) {
    return malformed('created and Date are both signed, and do not agree')
  }
  return {
    createdAt: createdAt ?? date?.at,
    // Rounded down: a signature never lives longer than its signer said.
    expiresAt: names.includes('(expires)') && expires !== undefined ? Math.floor(Number(expires)) : undefined,
    isLoose: date !== undefined && !date.isWeekdayRight,
  }
}

function dateOf(message: RequestMessage, anyWeekday: boolean): ReturnType<typeof parseHttpDate> | Refusal {
  const values = fieldValues(message.fields, 'date')
  // None or several: the base refuses.
  if (values.length !== 1) return undefined
  const date = parseHttpDate(values[0] ?? '')
  if (date === undefined) return malformed('Date is not of the form that RFC 9110 section 5.6.7 wants')
  if (!date.isWeekdayRight && !anyWeekday) return malformed('the weekday of Date is not that of its day')
  return date
}

function malformed(detail: string): Refusal {
  return refuse('signature-malformed', detail)
}
