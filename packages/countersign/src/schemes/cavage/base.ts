import { fieldValues } from '../../message/field-lines.ts'
import type { Message, RequestMessage } from '../../message/message.ts'
import type { SignatureBase } from '../../message/signature-base.ts'
import { singleFields } from '../../message/single-fields.ts'
import { type Refusal, refuse } from '../../reasons/reasons.ts'
import type { CavageClaim } from './claim.ts'
import type { Settings } from './options.ts'
import { requestTarget } from './target.ts'

const plainValue = /^[\t\x20-\x7e]*$/

/** Builds the signing string: `name: value` for each name of the list, joined with line feeds. Drafts 03 to 12, section 2.3. */
export function signingString(
  message: Message,
  claim: Pick<CavageClaim, 'names' | 'created' | 'expires'>,
  settings: Settings,
): SignatureBase | Refusal {
  if (message.kind !== 'request') return refuse('component-missing', 'this scheme signs requests only')
  const lines: string[] = []
  for (const name of claim.names) {
    const value = partValue(name, message, claim, settings)
    if (typeof value !== 'string') return value
    lines.push(`${name}: ${value}`)
  }
  return { text: lines.join('\n'), labels: claim.names }
}

function partValue(
  name: string,
  message: RequestMessage,
  { created, expires }: Pick<CavageClaim, 'created' | 'expires'>,
  settings: Settings,
): string | Refusal {
  switch (name) {
    case '(request-target)':
      return requestTarget(message, settings)
    case '(created)':
      return created ?? absent(name)
    case '(expires)':
      return expires ?? absent(name)
    case 'host':
      // What the client called, wherever the wire says it: HTTP/2 has no Host field.
      return message.authority
    default:
      return fieldLine(name, message, settings.isFlask ? ',' : ', ')
  }
}

function fieldLine(name: string, message: RequestMessage, separator: string): string | Refusal {
  const values = fieldValues(message.fields, name)
  if (values.length === 0) return absent(name)
  if (values.length > 1 && singleFields.has(name)) {
    return refuse('component-missing', `the field ${name} is there more than once`)
  }
  const value = values.join(separator)
  return plainValue.test(value)
    ? value
    : refuse('component-missing', `the field ${name} has a character that is not visible ASCII`)
}

function absent(name: string): Refusal {
  return refuse('component-missing', `${name} is covered and not there`)
}
