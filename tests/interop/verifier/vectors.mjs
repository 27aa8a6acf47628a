// What each kind of vector asks, and the values it expects; the forms are told in tests/interop/vectors/README.md.
import { b64, derive, hash, refuse, sha256, tagged, unb64 } from './bytes.mjs'
import { boxKeyId, boxPair, openBox, reviewKeyInfo, wrapInfo } from './boxes.mjs'
import { foldDeal } from './deal.mjs'
import { admit, holds } from './ed25519.mjs'
import { stated } from './devices.mjs'
import { certified, clearBody, commitment, eventNonce, header, identityOf, older, opened, plaintext, segment } from './envelope.mjs'
import { canonical, decode } from './json.mjs'
import { formFault } from './kinds.mjs'
import * as pairing from './pairing.mjs'
import * as relay from './relay.mjs'
import { reviewCommitment, reviewDigest, reviewToken, openReview, voucher } from './reviews.mjs'
import { attachment, unseal } from './seals.mjs'
import { anchor, openSlot } from './slots.mjs'
import * as sync from './sync.mjs'
import { invite, keyText, recoveryCode } from './texts.mjs'

const bytes = (text) => unb64(text) ?? refuse('bug', 'a vector that is not base64url')
const each = (texts) => texts.map(bytes)

/** A header as it is told in values. */
const toldHeader = (head) => ({
  suite: head.suite, space: b64(head.space), device: b64(head.device), seq: String(head.seq), prev: b64(head.prev),
  epoch: b64(head.epoch), body_size: head.size, body_hash: b64(head.hash), id: b64(head.id),
})

export const KINDS = {
  derive: ({ secret, label, size, salt }) => ({ bytes: b64(derive(bytes(secret), label, size, bytes(salt))) }),
  'tagged hash': ({ use, parts }) => ({ hash: b64(tagged(use, ...each(parts))) }),
  identity: ({ root }) => ({ identity: b64(identityOf(bytes(root))) }),
  commitment: ({ space, secret }) => ({ commit: b64(commitment(bytes(space), bytes(secret))) }),
  nonce: ({ device, seq }) => ({ nonce: b64(eventNonce(bytes(device), BigInt(seq))) }),
  canonical: ({ bytes: given }) => ({ hash: b64(sha256(canonical(decode(bytes(given))))) }),
  header: (input) => toldHeader(header(bytes(input.header))),
  'clear body': ({ body, seq }) => {
    const value = clearBody(bytes(body), BigInt(seq))
    return seq ? { commit: value.commit, names: value.boxes.map((one) => one.to[0]) } : { creator: value.creator, space: value.space }
  },
  certificates: ({ certificates, device }) => {
    const { identity, kind } = certified(certificates, bytes(device))
    return { identity: b64(identity), kind }
  },
  'key admission': ({ key, deal }) => {
    admit(bytes(key), { deal })
    return {}
  },
  signature: ({ key, tag, message, signature }) => ({ holds: holds(bytes(key), tag, bytes(message), bytes(signature)) }),
  seal: ({ key, nonce, aad, sealed }) => ({ text: b64(unseal(...each([key, nonce, aad, sealed]))) }),
  event: (input) => {
    const head = header(bytes(input.header))
    const body = bytes(input.body)
    const said = plaintext(opened(head, body, bytes(input.secret)))
    return { kind: said.kind, at: said.at, hash: b64(sha256(canonical(said))) }
  },
  plaintext: ({ padded }) => ({ kind: plaintext(bytes(padded)).kind }),
  'body form': ({ space, body }) => {
    const fault = formFault(space, body)
    return fault === null ? {} : refuse(fault)
  },
  segment: ({ segment: packed, space }) => {
    const run = segment(bytes(packed), bytes(space))
    return { device: b64(run.device), ids: run.events.map(({ id }) => b64(id)) }
  },
  box: ({ seed, space, commit, box }) => ({ secret: b64(openBox(bytes(seed), wrapInfo(bytes(space), bytes(commit)), bytes(box))) }),
  'box seed': ({ seed }) => {
    const { publicKey } = boxPair(bytes(seed))
    return { key: b64(hash('sha256', publicKey)), id: b64(tagged('box-key', publicKey)) }
  },
  'box key': ({ key }) => ({ id: b64(boxKeyId(bytes(key))) }),
  'recovery code': ({ text }) => {
    const code = recoveryCode(text)
    return { bytes: b64(code), signing: b64(derive(code, 'root-signing')), box: b64(derive(code, 'root-box')) }
  },
  'key text': ({ text }) => ({ bytes: b64(keyText(text)) }),
  invite: ({ text }) => {
    const { space, secret, name, places } = invite(text)
    return { space: b64(space), secret: b64(secret), name, places }
  },
  slot: ({ slot, secret }) => ({ key: b64(openSlot(slot, secret)) }),
  anchor: ({ key, anchor: file, total, id }) => {
    const found = anchor(bytes(key), bytes(file), total, bytes(id))
    return { total: found.total, id: b64(found.id) }
  },
  attachment: ({ key, sealed, address }) => ({ hash: b64(sha256(attachment(bytes(key), bytes(sealed), address && bytes(address)))) }),
  pack: ({ pack, name }) => {
    const found = sync.pack(bytes(pack), name)
    const ranges = found.ranges.map(({ device, first, last }) => [b64(device), Number(first), Number(last)])
    return { space: b64(found.space), writer: b64(found.writer), names: found.names.map(b64), ranges }
  },
  frame: ({ frame }) => {
    const { name, payload } = sync.frame(bytes(frame))
    return { name, size: payload.length }
  },
  payload: ({ name, payload, leads }) => sync.payload(name, bytes(payload), leads),
  comparison: ({ transcript, number, spaces, signed }) => {
    const held = spaces.map(([space, heads]) => [bytes(space), heads.map(([device, seq, id]) => [bytes(device), seq, bytes(id)])])
    const told = signed.map(([space, rows]) => [bytes(space), rows.map(([relay, at, head]) => [bytes(relay), at, bytes(head)])])
    const found = sync.comparison(bytes(transcript), number, held, told)
    return { spaces: found.spaces.map((row) => row.map(b64)), digest: b64(found.digest), ranges: b64(found.ranges) }
  },
  'older secrets': ({ space, secret, wrap }) => ({ older: older(bytes(space), bytes(secret), clearBody(bytes(wrap), 1n)).map(b64) }),
  revocation: ({ identity, ...said }) => ({ holds: stated(said, identity) }),
  'pairing request': ({ code, message }) => pairing.request(pairing.pairingCode(code), bytes(message)),
  'pairing answer': (input) => pairing.answer(pairing.pairingCode(input.code), ...each([input.seed, input.box, input.asked, input.message]), input.nonce),
  hello: ({ payload }) => {
    const { device, identity } = sync.hello(bytes(payload))
    return { device: b64(device), identity: b64(identity) }
  },
  proof: ({ payload, role, lead, follow, boards, relays }) =>
    sync.proof(bytes(payload), role, bytes(lead), bytes(follow), each(boards), each(relays)),
  'range digests': ({ rows, ranges }) => {
    const found = relay.digests(each(rows), ranges)
    return { whole: b64(found.whole), ranges: b64(found.ranges), parts: found.parts.map(([range, part]) => [range, b64(part)]) }
  },
  receipt: (input) => {
    const { relay: by, space, number, event, at, head } = relay.receipt(bytes(input.receipt))
    return { relay: b64(by), space: b64(space), number: Number(number), event: b64(event), at, head: b64(head) }
  },
  'log head': ({ ids }) => ({ head: b64(relay.head(each(ids))) }),
  'relay message': ({ form, message, given }) => relay.message(form, bytes(message), { given }),
  'relay request': (input) => ({ holds: relay.requestHolds({ ...input, signature: bytes(input.signature), device: bytes(input.device) }) }),
  'door proof': ({ door, relay: by, device, space, signature }) => ({
    holds: relay.doorHolds(...each([door, by, device, space, signature])),
  }),
  'door seed': ({ secret }) => ({ seed: b64(relay.doorSeed(bytes(secret))) }),
  terms: ({ terms, hash: told, signature, device }) => {
    const made = sha256(canonical(terms))
    if (b64(made) !== told) refuse('terms.other_hash')
    if (!holds(bytes(device), 'terms', made, bytes(signature))) refuse('terms.bad_signature')
    return { hash: b64(made) }
  },
  review: ({ review, key, deal }) => ({
    commitment: b64(reviewCommitment(bytes(key), review)), digest: b64(reviewDigest(review)), token: b64(reviewToken(bytes(deal))),
  }),
  'review key': ({ seed, space, commit, box }) => ({ key: b64(openBox(bytes(seed), reviewKeyInfo(bytes(space), bytes(commit)), bytes(box))) }),
  'review box': ({ box, key, deal }) => openReview(bytes(box), bytes(key), bytes(deal)),
  voucher: (input) => voucher(input.voucher),
  deal: ({ space, segments, secret }) => foldDeal(bytes(space), each(segments).map((one) => segment(one, bytes(space))), bytes(secret)),
}
