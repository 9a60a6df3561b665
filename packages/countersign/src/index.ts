export type { Clock } from './clock/clock.ts'
export { systemClock } from './clock/clock.ts'
export type { Credential, CredentialSecret } from './credentials/credential.ts'
export type { CredentialStore } from './credentials/store.ts'
export type { Backend, Hasher } from './crypto/backend.ts'
export type { Jwk, PublicKeyInput } from './keys/key.ts'
export { Secret, secretFrom } from './keys/secret.ts'
export type { Body, BodyProblem, BodySource } from './message/body.ts'
export type {
  FieldsInput,
  Message,
  RequestMessage,
  RequestMessageInput,
  ResponseMessage,
  ResponseMessageInput,
} from './message/message.ts'
export { requestMessage, responseMessage } from './message/message.ts'
export type { Patch } from './message/patch.ts'
export type { Coverage, Policy } from './policy/policy.ts'
export type { ErrorCode } from './reasons/error.ts'
export { CountersignError, errorCodes } from './reasons/error.ts'
export type { Reason, ReasonRow } from './reasons/reasons.ts'
export { reasons } from './reasons/reasons.ts'
export type { NonceStore } from './replay/nonce-store.ts'
export type { Rfc9421Options } from './schemes/rfc9421/options.ts'
export { rfc9421 } from './schemes/rfc9421/rfc9421.ts'
export type { Claim, Scheme, SchemeTraits } from './schemes/scheme.ts'
export type { Signer, SignerOptions } from './signer/signer.ts'
export { createSigner } from './signer/signer.ts'
export type { TraceEntry } from './steps/trace.ts'
export type { Refused, Verdict, Verified } from './verifier/verdict.ts'
export type { Verifiable, Verifier, VerifierOptions, VerifyOptions } from './verifier/verifier.ts'
export { createVerifier } from './verifier/verifier.ts'
