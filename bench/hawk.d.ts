// Hawk ships no types; this is what the benchmarks use of it.
declare module 'hawk' {
  export interface HawkCredentials {
    readonly id: string
    readonly key: string
    readonly algorithm: 'sha256'
  }
  export interface HawkRequest {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
  }
  export interface HawkArtifacts {
    readonly ts: number
    readonly nonce: string
    readonly method: string
    readonly resource: string
    readonly host: string
    readonly port: number | string
    readonly hash: string
  }
  export const client: {
    header(
      url: string,
      method: string,
      options: {
        readonly credentials: HawkCredentials
        readonly payload: Uint8Array
        readonly contentType: string
        readonly timestamp?: number
        readonly nonce?: string
      },
    ): { readonly header: string; readonly artifacts: HawkArtifacts }
  }
  export const server: {
    /** Rejects where the request is refused. */
    authenticate(
      request: HawkRequest,
      credentials: (id: string) => Promise<HawkCredentials | null>,
      options: { readonly payload: Uint8Array; readonly timestampSkewSec: number },
    ): Promise<{ readonly credentials: HawkCredentials }>
  }
  export const crypto: {
    generateNormalizedString(type: 'header', artifacts: HawkArtifacts): string
  }
}
