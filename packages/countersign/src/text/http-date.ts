/** A date as HTTP writes it. RFC 9110 section 5.6.7. */
export interface HttpDate {
  /** Whole seconds since the epoch. */
  readonly at: number
  /** Whether the weekday is the one of that day. It says nothing that the rest does not say. */
  readonly isWeekdayRight: boolean
}

const weekdays: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months: readonly string[] = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
]
const form = /^([A-Z][a-z]{2}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$/

/**
 * Reads an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT`, of the years 1970 to 9999. Gives `undefined` for everything else:
 * the obsolete forms, other zones, days that are not in their month, leap seconds. `Date.parse` would take `1` and comments.
 */
export function parseHttpDate(text: string): HttpDate | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [, weekday = '', day = '', month = '', year = '', hour = '', minute = '', second = ''] = match
  const weekdayIndex = weekdays.indexOf(weekday)
  const monthIndex = months.indexOf(month)
  if (weekdayIndex < 0 || monthIndex < 0) return undefined
  // Two or four digits each, as matched above.
  const [y, d, h, m, s] = [Number(year), Number(day), Number(hour), Number(minute), Number(second)]
  if (y < 1970 || d < 1 || d > daysIn(monthIndex, y) || h > 23 || m > 59 || s > 59) return undefined
  const days = daysBefore(y) + daysBeforeMonth(monthIndex, y) + d - 1
  return { at: days * 86_400 + h * 3600 + m * 60 + s, isWeekdayRight: weekdayOf(days) === weekdayIndex }
}

/** Writes whole seconds since the epoch as an IMF-fixdate. From 1970 on. */
export function formatHttpDate(at: number): string {
  let days = Math.floor(at / 86_400)
  const time = at - days * 86_400
  const weekday = weekdays[weekdayOf(days)] ?? ''
  let year = 1970 + Math.floor(days / 366)
  while (daysBefore(year + 1) <= days) year++
  days -= daysBefore(year)
  let month = 0
  while (days >= daysIn(month, year)) days -= daysIn(month++, year)
  const clock = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60].map(twoDigits).join(':')
  return `${weekday}, ${twoDigits(days + 1)} ${months[month]} ${String(year).padStart(4, '0')} ${clock} GMT`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}

// The first of January 1970 was a Thursday.
function weekdayOf(days: number): number {
  return (days + 4) % 7
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function daysIn(month: number, year: number): number {
  if (month === 1) return isLeap(year) ? 29 : 28
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31
}

function daysBeforeMonth(month: number, year: number): number {
  let days = 0
  for (let before = 0; before < month; before++) days += daysIn(before, year)
  return days
}

/** Days from the first of January 1970 to that of a year. */
function daysBefore(year: number): number {
  const before = year - 1
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400)
  // 1969 years have 477 leap days.
  return (year - 1970) * 365 + leapDays - 477
}
