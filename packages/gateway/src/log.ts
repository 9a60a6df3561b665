import { destination, type Logger, pino } from 'pino'

/** Facts of a log line. Text is escaped and cut by `plainText` where it came over the wire. */
export interface LogFacts {
  readonly [name: string]: string | number | boolean | undefined
}

/** Where the gateway writes what it has to say. A pino logger fits. */
export interface GatewayLog {
  debug(facts: LogFacts, message: string): void
  info(facts: LogFacts, message: string): void
  warn(facts: LogFacts, message: string): void
  error(facts: LogFacts, message: string): void
  isLevelEnabled?(level: string): boolean
}

/** Makes the log of a gateway: JSON lines on standard error, so that standard output stays the command's own. */
export function gatewayLog(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  return pino(
    { level, base: { name: 'countersign' }, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  )
}

/** Longest text from the wire in a log line, in characters. */
const longestText = 256

/**
 * Makes text from the wire safe to print: everything but printable ASCII becomes `\xNN`, and what is over 256 characters is cut.
 * JSON alone would leave C1 controls, which some terminals obey.
 */
export function plainText(text: string): string {
  const cut = text.length > longestText ? text.slice(0, longestText) : text
  const plain = /^[ -~]*$/.test(cut)
    ? cut
    : cut.replace(/[^ -~]/g, (character) => {
        const code = character.charCodeAt(0)
        return code < 256
          ? `\\x${code.toString(16).padStart(2, '0')}`
          : `\\u${code.toString(16).padStart(4, '0')}`
      })
  return text.length > longestText ? `${plain.slice(0, longestText)}… (${text.length} characters)` : plain
}
