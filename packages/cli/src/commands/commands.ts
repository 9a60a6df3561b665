import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { addCurl } from './curl.ts'
import { addKeys } from './keys/keys.ts'
import { addServe } from './serve.ts'
import { addSign } from './sign.ts'
import { addVerify } from './verify.ts'

/** The commands, in the order of the help. */
export const commands: readonly ((program: Command, session: Session) => void)[] = [
  addServe,
  addKeys,
  addSign,
  addVerify,
  addCurl,
]
