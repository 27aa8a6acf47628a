// A folder that devices sync through: docs/spec/sync.md, "Folder".
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Refused, b64, same, tagged, unb64 } from './bytes.mjs'
import { boxPair, openBox, wrapInfo } from './boxes.mjs'
import { foldDeal } from './deal.mjs'
import { certified, clearBody, commitment, opened, plaintext } from './envelope.mjs'
import { decode } from './json.mjs'
import { formFault } from './kinds.mjs'
import { pack } from './sync.mjs'
import { invite } from './texts.mjs'

/** The verified packs of a place, each under its own name. */
function packs(place) {
  const folder = join(place, 'chaise-1', 'packs')
  const files = readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.pack$/.test(file))
  return files.map((file) => pack(readFileSync(join(folder, file)), file.slice(0, 64)))
}

const eventsOf = (found) => found.flatMap(({ segments }) => segments.flatMap(({ events }) => events))

/** The epoch secret that a wrap of the space gives to the holder of `seed`, or null. */
function secretFor(found, seed) {
  const own = b64(tagged('box-key', boxPair(seed).publicKey))
  for (const event of eventsOf(found).filter(({ suite, seq }) => suite === 0 && seq > 0n)) {
    const { commit, boxes } = clearBody(event.body, event.seq)
    const box = boxes.find(({ to }) => to[1] === own)
    if (!box) continue
    const secret = openBox(seed, wrapInfo(event.space, unb64(commit)), unb64(box.box))
    if (same(commitment(event.space, secret), unb64(commit))) return secret
  }
  return null
}

function bySpace(found) {
  const spaces = new Map()
  for (const one of found) spaces.set(b64(one.space), [...(spaces.get(b64(one.space)) ?? []), one])
  return spaces
}

/** Every deal of a folder that opens with `seed`, folded. */
export function deals(place, seed) {
  const told = []
  for (const [space, found] of bySpace(packs(place))) {
    const genesis = eventsOf(found).find(({ suite, seq }) => suite === 0 && seq === 0n)
    if (!genesis || decode(genesis.body).space !== 'deal') continue
    const secret = secretFor(found, seed)
    const segments = found.flatMap((one) => one.segments)
    if (secret) told.push({ space, ...foldDeal(unb64(space), segments, secret) })
  }
  return told
}

/** What stands on the board of an invite: how many events opened, of which kinds, by how many people. */
export function board(place, text) {
  const { space, secret, name } = invite(text)
  const found = bySpace(packs(place)).get(b64(space)) ?? []
  const kinds = {}
  const people = new Set()
  for (const { events } of found.flatMap((one) => one.segments))
    for (const event of events.filter(({ suite }) => suite === 1)) {
      const said = plaintext(opened(event, event.body, secret))
      const fault = formFault('board', said)
      if (fault) throw new Refused(fault)
      if (said.cert) people.add(b64(certified(said.cert, event.device).identity))
      kinds[said.kind] = (kinds[said.kind] ?? 0) + 1
    }
  return { name, people: people.size, kinds }
}
