import { formDecode } from '../../text/percent.ts'

/** What a query or form says of who signed and when, decoded; of a repeated name the first. */
export interface SignerParameters {
  readonly accountId: string | undefined
  readonly timestamp: string | undefined
  /** Whether one of the two is there more than once. */
  readonly repeated: boolean
  /** Which of the two stands last, with nothing behind it, and its value as sent. */
  readonly last: { readonly name: 'ACCOUNT_ID' | 'TIMESTAMP'; readonly value: string } | undefined
}

/** Finds ACCOUNT_ID and TIMESTAMP in a query or an urlencoded form. `&` alone separates. Linear in the text. */
export function readParameters(text: string): SignerParameters {
  let accountId: string | undefined
  let timestamp: string | undefined
  let repeated = false
  let last: SignerParameters['last']
  for (let from = 0; from <= text.length; ) {
    const and = text.indexOf('&', from)
    const to = and < 0 ? text.length : and
    const equals = text.indexOf('=', from)
    const nameEnd = equals < 0 || equals > to ? to : equals
    const name = formDecode(text.slice(from, nameEnd))
    last = undefined
    if (name === 'ACCOUNT_ID' || name === 'TIMESTAMP') {
      const value = text.slice(nameEnd + 1, to)
      last = { name, value }
      if (name === 'ACCOUNT_ID') {
        repeated ||= accountId !== undefined
        accountId ??= formDecode(value)
      } else {
        repeated ||= timestamp !== undefined
        timestamp ??= formDecode(value)
      }
    }
    from = to + 1
  }
  return { accountId, timestamp, repeated, last }
}
