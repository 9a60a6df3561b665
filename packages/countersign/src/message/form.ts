import { type FieldLines, fieldValues, trimBlanks } from './field-lines.ts'

/** Media type of a form whose content reads like a query. */
export const urlencodedForm = 'application/x-www-form-urlencoded'

const formTypes: readonly string[] = [urlencodedForm, 'multipart/form-data', 'application/x-url-encoded']

/**
 * Gives the media type in lower case where the content is said to be a form, of the kinds that web frameworks parse on
 * their own. Parameters do not matter; of several Content-Type lines one is enough. RFC 9110 section 8.3.1.
 */
export function formType(fields: FieldLines): string | undefined {
  for (const value of fieldValues(fields, 'content-type')) {
    const end = value.indexOf(';')
    const type = trimBlanks(end < 0 ? value : value.slice(0, end)).toLowerCase()
    if (formTypes.includes(type)) return type
  }
  return undefined
}
