import type { MaybePromise } from '../../message/body.ts'
import type { NonceStore } from '../../replay/nonce-store.ts'
import { type SettableClock, settableClock } from '../clock.ts'
import { type ContractCase, must } from './contract-case.ts'

/** Makes an empty nonce store that goes by the given clock. Called once for each case. */
export type MakeNonceStore = (clock: SettableClock) => MaybePromise<NonceStore>

const start = 1_800_000_000
const daySeconds = 86_400

/** Two tokens of this list must never be taken for one another. */
const lookAlikes: readonly string[] = [
  'token',
  'Token',
  'token ',
  ' token',
  'token\0',
  'token\0\0',
  'tokenn',
  'toke',
  '',
  '\0',
  '__proto__',
  'constructor',
  'toString',
  "' OR 1=1 --",
  '%',
  '_',
  '*',
  'a:b',
  'a\nb',
  'a\r\nb',
  '\u00e9',
  'e\u0301',
  '\u212b',
  '\u00c5',
  '\u0410',
  'A',
  '\u{1f511}',
  'x'.repeat(4096),
  `${'x'.repeat(4095)}y`,
  'x'.repeat(4097),
]

/**
 * Gives what every nonce store must do: each token once, also under a hundred calls at once; every token through its last
 * second; none twice because a clock was set back. Independent of any test framework.
 */
export function nonceStoreContract(makeStore: MakeNonceStore): readonly ContractCase[] {
  const onStore =
    (run: (trial: Trial) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const clock = settableClock(start)
      const store = await makeStore(clock)
      await run({ clock, record: async (token, expiresAt) => store.record(token, expiresAt) })
    }
  return [
    { name: 'takes a token once', run: onStore(takesOnce) },
    { name: 'gives exactly one fresh to a hundred racing calls', run: onStore(oneOfRacing) },
    { name: 'tells tokens apart that look alike', run: onStore(tellsApart) },
    { name: 'remembers every one of a thousand tokens', run: onStore(remembersMany) },
    { name: 'keeps a token through its last second', run: onStore(keepsToTheEnd) },
    { name: 'keeps a token whatever end it is shown with later', run: onStore(keepsWithOtherEnds) },
    { name: 'takes a token anew long after its end', run: onStore(forgets) },
    { name: 'never takes a token twice because the clock was set back', run: onStore(survivesClockSetBack) },
    { name: 'never takes a token twice that comes after its end', run: onStore(refusesLateTwice) },
  ]
}

interface Trial {
  readonly clock: SettableClock
  readonly record: (token: string, expiresAt: number) => Promise<'fresh' | 'seen'>
}

async function takesOnce({ record }: Trial): Promise<void> {
  for (const wanted of ['fresh', 'seen', 'seen']) {
    const got = await record('token', start + 300)
    must(got === wanted, `expected ${wanted}, got ${got}`)
  }
}

async function oneOfRacing({ record }: Trial): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => record(`token ${round}`, start + 300)),
    )
    const fresh = answers.filter((answer) => answer === 'fresh').length
    must(fresh === 1, `expected one fresh of 100 calls, got ${fresh}`)
  }
}

async function tellsApart({ record }: Trial): Promise<void> {
  for (const wanted of ['fresh', 'seen']) {
    for (const token of lookAlikes) {
      const got = await record(token, start + 300)
      const shown = JSON.stringify(token.slice(0, 20))
      must(got === wanted, `${shown} of ${token.length} characters: expected ${wanted}, got ${got}`)
    }
  }
}

async function remembersMany({ record }: Trial): Promise<void> {
  for (const wanted of ['fresh', 'seen']) {
    for (let i = 0; i < 1000; i++) {
      const got = await record(`token ${i}`, start + 300 + (i % 60))
      must(got === wanted, `token ${i}: expected ${wanted}, got ${got}`)
    }
  }
}

async function keepsToTheEnd({ clock, record }: Trial): Promise<void> {
  await record('token', start + 300)
  for (const second of [1, 150, 299, 300]) {
    clock.set(start + second)
    const got = await record('token', start + 300)
    must(got === 'seen', `${300 - second} s before its end: expected seen, got ${got}`)
  }
}

async function keepsWithOtherEnds({ clock, record }: Trial): Promise<void> {
  await record('token', start + 300)
  for (const end of [start + 1, start + 301, start + daySeconds]) {
    const got = await record('token', end)
    must(got === 'seen', `with an end ${end - start} s ahead: expected seen, got ${got}`)
  }
  clock.set(start + 300)
  const got = await record('token', start + 600)
  must(
    got === 'seen',
    `in its last second, after it was shown with an earlier end: expected seen, got ${got}`,
  )
}

async function forgets({ clock, record }: Trial): Promise<void> {
  await record('token', start + 300)
  clock.advance(daySeconds)
  const got = await record('token', start + daySeconds + 300)
  must(got === 'fresh', `a day later, with an end of its own: expected fresh, got ${got}`)
  const again = await record('token', start + daySeconds + 300)
  must(again === 'seen', `the same once more: expected seen, got ${again}`)
}

async function survivesClockSetBack({ clock, record }: Trial): Promise<void> {
  await record('token', start + 300)
  clock.advance(daySeconds)
  // Enough to make a store tidy up that does so now and then.
  for (let i = 0; i < 300; i++) await record(`other ${i}`, start + daySeconds + 300)
  clock.set(start)
  const got = await answerOf(record('token', start + 300))
  must(got !== 'fresh', 'after the clock went a day ahead and back the token was fresh again')
}

async function refusesLateTwice({ record }: Trial): Promise<void> {
  const answers = [await answerOf(record('late', start - 5)), await answerOf(record('late', start - 5))]
  must(answers[1] !== 'fresh', `a token 5 s past its end, twice: got ${answers.join(', ')}`)
}

/** A store may refuse to answer where it cannot know; that is answered 503 and lets nobody in. */
function answerOf(answer: Promise<'fresh' | 'seen'>): Promise<'fresh' | 'seen' | 'failed'> {
  return answer.catch((): 'failed' => 'failed')
}
