/** Gives the present as whole seconds since the epoch. */
export type Clock = () => number

/** The clock of the machine: whole seconds since the epoch. */
export const systemClock: Clock = () => Math.floor(Date.now() / 1000)
