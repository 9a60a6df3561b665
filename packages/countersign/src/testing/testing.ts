export { type SettableClock, settableClock } from './clock.ts'
export type {
  ClientContractInput,
  ClientRequest,
  ClientUnderTest,
  ContractServer,
  ServerAnswer,
} from './contracts/client.ts'
export { clientContract } from './contracts/client.ts'
export type { ContractCase } from './contracts/contract-case.ts'
export { credentialStoreContract, type MakeCredentialStore } from './contracts/credential-store.ts'
export { type MakeNonceStore, nonceStoreContract } from './contracts/nonce-store.ts'
export { schemeContract } from './contracts/scheme.ts'
export type { SchemeContractInput, SchemeVector } from './contracts/scheme-trial.ts'
export type {
  ContractRoute,
  RawConnection,
  RouteGuard,
  RunningServer,
  SeenRequest,
  ServerContractInput,
} from './contracts/server.ts'
export { serverContract } from './contracts/server.ts'
export { isSameForm } from './same-form.ts'
export { type Tampered, type TamperOptions, tamper } from './tamper.ts'
export {
  type SeedCase,
  type SeedCredential,
  type SeedFile,
  type SeedRequest,
  type SeedSigner,
  type SeedVerdict,
  seedBytes,
  seedRequest,
} from './vectors.ts'
