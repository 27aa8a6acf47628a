// Both messages of a pairing: docs/spec/devices.md, "Pairing".
import { Refused, ascii, b64, derive, refuse, same, sha256, tagged, u8, unb64 } from './bytes.mjs'
import { SUITE, boxKeyId, boxPair, openBox } from './boxes.mjs'
import { admit, holds, publicOf } from './ed25519.mjs'
import { certified } from './envelope.mjs'
import { decode, keyed } from './json.mjs'
import { formFault } from './kinds.mjs'
import { unseal } from './seals.mjs'
import { checked } from './texts.mjs'

const BROKEN = 'pairing.broken'
const TAG = Buffer.concat([ascii('chaise/1 pairing'), u8(0)])
const mailbox = (code) => tagged('pairing-mailbox', code)

export const pairingCode = (text) => checked(text, 'pairing', 'pairing.bad_code', 20)

/** Whatever is wrong with a message has one code. */
function broken(work) {
  try {
    return work()
  } catch (error) {
    throw error instanceof Refused ? new Refused(BROKEN, error.message) : error
  }
}

function content(code, direction, transcript, message, ...keys) {
  if (message.length > 16384 || message.length < 28) refuse(BROKEN, 'size')
  const aad = Buffer.concat([TAG, ascii(direction), u8(0), mailbox(code), transcript])
  const value = decode(unseal(derive(code, 'pairing'), message.subarray(0, 12), aad, message.subarray(12)))
  return keyed(value, ...keys, 'v') && value.v === 1 ? value : refuse(BROKEN, 'keys')
}

export const request = (code, message) =>
  broken(() => {
    const said = content(code, 'join', Buffer.alloc(32), message, 'box', 'device', 'name', 'nonce', 'proof')
    const [key, box, nonce, proof] = [said.device, said.box, said.nonce, said.proof].map((each) => unb64(each) ?? refuse(BROKEN, 'base64url'))
    for (const [kind, data] of [['self.device_box', { device: said.device, key: said.box }], ['self.device_named', { device: said.device, name: said.name }]])
      if (formFault('self', { kind, v: 1, data })) refuse(BROKEN, kind)
    admit(key, { deal: true })
    const id = boxKeyId(box)
    const proved = Buffer.concat([TAG, mailbox(code), sha256(box), nonce])
    if (nonce.length !== 32 || !holds(key, 'proof', proved, proof)) refuse(BROKEN, 'proof')
    return { device: said.device, name: said.name, nonce: said.nonce, mailbox: b64(mailbox(code)), box: b64(id) }
  })

/** What the answer to `asked` brings to the device of these seeds. */
export const answer = (code, seed, box, asked, message, nonce) =>
  broken(() => {
    const keys = ['certificates', 'identity', 'maker', 'nonce', 'secrets', 'settings', 'space']
    const said = content(code, 'answer', sha256(asked), message, ...keys)
    const found = certified(said.certificates, publicOf(seed))
    const info = Buffer.concat([TAG, SUITE, mailbox(code), sha256(asked)])
    const inner = decode(openBox(box, info, unb64(said.secrets) ?? refuse(BROKEN, 'base64url')))
    const [maker, space, epoch] = [said.maker, said.space, inner.epoch].map((each) => unb64(each, 32) ?? refuse(BROKEN, 'size'))
    if (formFault('self', { kind: 'self.settings', v: 1, data: said.settings })) refuse(BROKEN, 'settings')
    const own = tagged('box-key', boxPair(unb64(inner.box[1])).publicKey)
    if (b64(found.identity) !== said.identity || ['grant', 'run'].includes(found.kind) || said.nonce !== nonce || !same(own, unb64(inner.box[0]))) refuse(BROKEN)
    return { identity: said.identity, space: b64(space), maker: b64(maker), epoch: b64(epoch), box: inner.box[0], kind: found.kind }
  })
