/** Gives the first required right that the credential lacks, or `undefined` where it has all. */
export function missingRight(
  held: readonly string[] | undefined,
  required: readonly string[],
): string | undefined {
  for (const right of required) if (held?.includes(right) !== true) return right
  return undefined
}
