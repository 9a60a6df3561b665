let later: (() => void)[] = []

/**
 * Does something at the end of this turn of the event loop, behind all that was read in it. What is written to other processes goes
 * through here: of writes in a row all but the first find their reader awake, and waking it costs more than all the rest of a write.
 * Measured with 64 busy connections and answers written this way: a fifth less processor time for each request passed on.
 */
export function atTurnEnd(work: () => void): void {
  if (later.length === 0) setImmediate(doAll)
  later.push(work)
}

function doAll(): void {
  const works = later
  later = []
  for (const work of works) work()
}
