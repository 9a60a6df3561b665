import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { createSigner, createVerifier, rfc9421, requestMessage, secretFrom } from 'countersign'
import { wireRequest } from '../packages/countersign/dist/message/message.js'
import { measure, report } from './measure.ts'
import { benchKeyId, benchMethod, benchNow, benchSecret, benchTarget, signedRequests } from './requests.ts'

const requests = signedRequests(512)
const key = createSecretKey(benchSecret)
const credential = { id: benchKeyId, secret: secretFrom.bytes(benchSecret) }
const store = new Map([[benchKeyId, credential]])
const verifier = createVerifier({ schemes: [rfc9421()], credentials: (id) => store.get(id), clock: () => benchNow })

const at = (i: number) => {
  const request = requests[i % requests.length]
  if (request === undefined) throw new Error('no request')
  return request
}
const message = (i: number) => {
  const { rawHeaders, body } = at(i)
  return wireRequest({ method: benchMethod, target: benchTarget(i % requests.length), scheme: 'http', fields: rawHeaders, body })
}
const must = (ok: boolean) => {
  if (!ok) throw new Error('a good request was refused')
}
report('verify, RFC 9421 HMAC, 6 components, 1 KiB body, distinct requests', await measure([
  {
    name: 'bare crypto: createHmac, createHash, two timingSafeEqual',
    run: (i) => {
      const { base, body, mac, digest } = at(i)
      must(
        timingSafeEqual(createHmac('sha256', key).update(base).digest(), mac) &&
          timingSafeEqual(createHash('sha256').update(body).digest(), digest),
      )
    },
  },
  { name: 'countersign verifySync', run: (i) => must(verifier.verifySync(message(i)).ok) },
  { name: 'countersign verify (awaited)', run: async (i) => must((await verifier.verify(message(i))).ok) },
]))
