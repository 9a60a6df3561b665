const long = 65_536
const cutsMost = 512

/**
 * Gives values that no client sends in a signature field, each with a name, made from one that was accepted:
 * empty, cut short anywhere, doubled, 64 KiB long in several ways, with characters that a parser may stumble over.
 */
export function hostileValues(value: string): readonly (readonly [name: string, value: string])[] {
  const word = value.split(' ')[0] ?? ''
  const half = value.slice(0, value.length >> 1)
  const rest = value.slice(value.length >> 1)
  const values: readonly (readonly [name: string, value: string])[] = [
    ['empty', ''],
    ['blanks alone', ' \t '],
    ['its first word alone', word],
    ['__proto__', '__proto__'],
    ['its first word and __proto__', `${word} __proto__`],
    ['__proto__=__proto__', '__proto__=__proto__'],
    ['its first word and constructor="x"', `${word} constructor="x"`],
    ['doubled with a comma', `${value}, ${value}`],
    ['doubled with a comma alone', `${value},${value}`],
    ['doubled with a semicolon', `${value};${value}`],
    ['doubled with a blank', `${value} ${value}`],
    ['a comma behind', `${value},`],
    ['a comma in front', `,${value}`],
    ['in upper case', value.toUpperCase()],
    ['64 KiB of one letter', 'a'.repeat(long)],
    ['64 KiB of one letter behind', value + 'a'.repeat(long)],
    ['its first word and 64 KiB of one letter', `${word} ${'a'.repeat(long)}`],
    ['64 KiB of blanks inside', half + ' '.repeat(long) + rest],
    ...['"', '\\', '(', ',', ';', '=', ':', '%', ' ', '\t', '\\"', ' ,', 'a,', 'a=1;', '("a" '].map(
      (piece) => [`64 KiB of ${JSON.stringify(piece)} behind`, `${value}${piece.repeat(long)}a`] as const,
    ),
    ...[
      '\0',
      '\r',
      '\n',
      '\r\n x',
      '\x1f',
      '\x7f',
      '\x80',
      '\xa0',
      '\xe9',
      '\xff',
      '\ud800',
      '\u{1f600}',
    ].flatMap((odd) => [
      [`${JSON.stringify(odd)} behind`, `${value}${odd}x`] as const,
      [`${JSON.stringify(odd)} inside`, half + odd + rest] as const,
      [`${JSON.stringify(odd)} in front`, `x${odd}${value}`] as const,
    ]),
    ...cuts(value).flatMap((at) => [
      [`cut off behind ${at} characters`, value.slice(0, at)] as const,
      [`without its first ${at} characters`, value.slice(at)] as const,
    ]),
  ]
  // Blanks at the ends are not part of a field's value, so cutting them off leaves it as it was.
  return values.filter(([, hostile]) => hostile.trim() !== value.trim())
}

/** Places to cut a text at: all of them, or 512 spread evenly. Neither end, where nothing is cut. */
function cuts(value: string): readonly number[] {
  const step = Math.max(1, Math.ceil(value.length / cutsMost))
  return Array.from({ length: Math.ceil(value.length / step) - 1 }, (_, i) => (i + 1) * step)
}
