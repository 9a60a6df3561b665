/**
 * Compares two texts by code point, as Python and UTF-8 bytes order them: negative, 0 or positive.
 * The `<` of JavaScript compares UTF-16 units and puts U+1F600 before U+FF5E. Linear in the shorter text.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Moves surrogates, which stand for code points from U+10000 up, behind every other unit. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
