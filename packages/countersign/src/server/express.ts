import type { Verified } from '../verifier/verdict.ts'
import type { Verifier } from '../verifier/verifier.ts'
import type { NodeRequest } from './from-node.ts'
import { errorFrom, warningField } from './guard.ts'
import { type NodeResponse, sendAnswer } from './node-answer.ts'
import { type NodeGuardOptions, nodeGuard } from './node-guard.ts'

declare global {
  // biome-ignore lint/style/noNamespace: the one place that Express leaves for the properties of a request
  namespace Express {
    interface Request {
      /**
       * The proven signature, behind `requireSignature`. `undefined` behind `readSignature` for an anonymous caller, and in
       * the modes that let pass what is refused: ask `signatureOf(req)` there, whose type says so.
       */
      signature: Verified
    }
  }
}

/** A middleware of Express. */
export type ExpressMiddleware = (req: NodeRequest, res: NodeResponse, next: (error?: unknown) => void) => void

const order = 'put requireSignature() or readSignature() before express.json() and every other body parser'

/**
 * Gives a middleware that lets a request pass only with an acceptable signature, which is then `req.signature`.
 * Put it before body parsers: it reads the raw body itself and leaves it to them intact.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function requireSignature(verifier: Verifier, options: NodeGuardOptions = {}): ExpressMiddleware {
  return middleware(verifier, options, true)
}

/**
 * Gives a middleware that lets anonymous requests pass too; `signatureOf(req)` is then `undefined`.
 * A signature that is there and not acceptable is refused, never taken for anonymous.
 * @throws CountersignError `config-invalid` where an option cannot work.
 */
export function readSignature(verifier: Verifier, options: NodeGuardOptions = {}): ExpressMiddleware {
  return middleware(verifier, options, false)
}

/** Gives the proven signature of a request, or `undefined` for an anonymous one. */
export function signatureOf(req: { readonly signature?: Verified | undefined }): Verified | undefined {
  return req.signature
}

function middleware(verifier: Verifier, options: NodeGuardOptions, needed: boolean): ExpressMiddleware {
  const judge = nodeGuard(verifier, options, { needed, order })
  return (req, res, next) => {
    judge(req).then(
      (outcome) => {
        if (outcome.kind === 'passed') {
          req.signature = outcome.signature
          if (outcome.warning !== undefined) res.setHeader(warningField, outcome.warning)
          next()
          return
        }
        try {
          sendAnswer(req, res, outcome.answer)
        } catch (failure) {
          next(errorFrom(failure))
        }
      },
      (failure: unknown) => next(errorFrom(failure)),
    )
  }
}
