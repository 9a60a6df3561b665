import { type Reason, reasons } from '../../reasons/reasons.ts'

/** Texts of the original, where one says what ours means and tells nothing that ours would not. */
const originalTexts: Readonly<Partial<Record<Reason, string>>> = {
  'created-missing': 'Missing authorisation information',
  'nonce-missing': 'Missing authorisation information',
  replayed: 'Duplicate nonce',
}

/** What every reason says that is about the key or its MAC. The original has three texts, and puts its base string into the body. */
const oneFace = 'Invalid MAC credentials'

/** Gives the challenge: the bare scheme to who sent no signature, else what was wrong with it. Draft-01 section 4. */
export function challengeFields(
  reason: Reason | undefined,
): readonly (readonly [name: string, value: string])[] {
  if (reason === undefined || reason === 'signature-absent') return [['WWW-Authenticate', 'MAC']]
  const { outside } = reasons[reason]
  const text =
    originalTexts[reason] ?? (outside === reasons['credential-unknown'].outside ? oneFace : outside)
  return [['WWW-Authenticate', `MAC error="${text}"`]]
}
