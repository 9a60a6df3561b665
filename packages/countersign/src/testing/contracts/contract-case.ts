/** One behaviour that every implementation of a contract has. Hand it to any test runner. */
export interface ContractCase {
  readonly name: string
  /** Rejects with an Error that says what is wrong. */
  readonly run: () => Promise<void>
}

/** Throws an Error with the text where the condition does not hold. */
export function must(condition: boolean, text: string): asserts condition {
  if (!condition) throw new Error(text)
}
