import { randomBytes } from 'node:crypto'
import { Secret, secretBytes } from 'countersign'
import type { SqlCredentials } from 'countersign/stores/sql'
import type { GatewayConfig } from './config/schema.ts'
import { checkConfig } from './config/schema.ts'

/** Id of the demo credential. */
export const demoKeyId = 'demo'

/** What the demo is about. */
export interface DemoPlace {
  /** As clients reach it, such as `http://localhost:8080`. */
  readonly origin: string
  /** Hex. This one may be shown: it is the demo's. */
  readonly secretHex: string
}

/** The configuration of the demo: everything goes to the built-in echo service, for whoever signs with RFC 9421. */
export function demoConfig(listen: { readonly host: string; readonly port: number }): GatewayConfig {
  const checked = checkConfig({ listen, upstream: 'echo', routes: [{ name: 'demo', path: '/' }] })
  if ('routes' in checked) return checked
  throw new Error(checked.map((problem) => problem.message).join('; '))
}

/** Gives the secret of the demo credential, which is made on first start; `undefined` where it was revoked or replaced by a key. */
export async function demoSecret(credentials: SqlCredentials): Promise<string | undefined> {
  if ((await credentials.show(demoKeyId)) === undefined) {
    await credentials.create({ id: demoKeyId, secret: randomBytes(32), owner: 'demo' })
  }
  const found = await credentials.find(demoKeyId, 'rfc9421')
  if (found === undefined || found.active === false) return undefined
  const newest = found.secrets?.at(-1)?.secret ?? found.secret
  return newest instanceof Secret ? Buffer.from(secretBytes(newest)).toString('hex') : undefined
}

/**
 * Gives two lines for bash: a request that is signed with nothing but openssl and passes, and the same one with another body,
 * which is refused. Each signs when it is run, so that it can be run again.
 */
export function demoLines(place: DemoPlace): { readonly signed: string; readonly tampered: string } {
  return { signed: line(place, false), tampered: line(place, true) }
}

/** What is printed when the demo starts. */
export function demoText(place: DemoPlace | undefined, origin: string): string {
  if (place === undefined) {
    return `countersign listens on ${origin}\nThe demo credential "${demoKeyId}" is not usable any more; make one with: countersign keys create\n`
  }
  const { signed, tampered } = demoLines(place)
  return [
    `countersign listens on ${place.origin}`,
    'It passes what is signed to a built-in echo service and refuses everything else.',
    '',
    'A signed request, made with openssl and curl. Paste it into bash:',
    '',
    signed,
    '',
    'The same request with its body changed on the way, which is refused:',
    '',
    tampered,
    '',
  ].join('\n')
}

function line({ origin, secretHex }: DemoPlace, tampered: boolean): string {
  const url = `${origin}/hello?to=world`
  const hmac = `openssl dgst -sha256 -mac HMAC -macopt hexkey:${secretHex} -binary`
  const digest = `sha-256=:$(printf %s "$body" | openssl dgst -sha256 -binary | openssl base64 -A):`
  const params = [
    `(\\"@method\\" \\"@target-uri\\" \\"content-digest\\");created=$(date +%s)`,
    `;nonce=\\"$(openssl rand -hex 16)\\";keyid=\\"${demoKeyId}\\"`,
  ].join('')
  const base = [
    `"@method": POST`,
    `"@target-uri": ${url}`,
    `"content-digest": %s`,
    `"@signature-params": %s`,
  ].join('\\n')
  return [
    `body='{"amount":10}'`,
    `digest="${digest}"`,
    `params="${params}"`,
    `mac=$(printf '${base}' "$digest" "$params" | ${hmac} | openssl base64 -A)`,
    `curl -sS -i '${url}' -d ${tampered ? `'{"amount":99}'` : '"$body"'} -H "Content-Digest: $digest" -H "Signature-Input: sig=$params" -H "Signature: sig=:$mac:"`,
  ].join('; ')
}
