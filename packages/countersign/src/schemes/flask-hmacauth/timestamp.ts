// What Python's float() takes, less underscores, `nan`, `inf`, a sign below zero, and numbers without a digit in front of the
// point. Each part is bounded, so that no text takes long.
const number = /^ {0,8}\+?([0-9]{1,40})(?:\.([0-9]{0,40}))?(?:[eE]([+-]?)([0-9]{1,2}))? {0,8}$/
const mostDigits = 12

/**
 * Reads a TIMESTAMP: seconds since the epoch as a Python client writes them (`1700000000`, `1700000000.25`, `1.7e9`).
 * Gives whole seconds, a fraction cut off, or `undefined` for anything else and for more than 12 digits.
 */
export function readTimestamp(text: string): number | undefined {
  const match = number.exec(text)
  if (match === null) return undefined
  const [, whole = '', fraction = '', sign = '', exponent = ''] = match
  const shift = digitsValue(exponent) * (sign === '-' ? -1 : 1)
  const point = whole.length + shift
  if (point <= 0) return 0
  const digits = (whole + fraction).padEnd(point, '0').slice(0, point)
  let zeros = 0
  while (digits.charCodeAt(zeros) === 48) zeros++
  return digits.length - zeros > mostDigits ? undefined : digitsValue(digits.slice(zeros))
}

/** Tells whether a TIMESTAMP is written in the one way that has no second: ten digits. Until the year 2286. */
export function isPlainTimestamp(text: string): boolean {
  return /^[0-9]{10}$/.test(text)
}

function digitsValue(digits: string): number {
  let value = 0
  for (let i = 0; i < digits.length; i++) value = value * 10 + digits.charCodeAt(i) - 48
  return value
}
