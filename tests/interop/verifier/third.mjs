// A third party as the agent: docs/spec/order.md, "A third party as the agent".
import { byRows } from './bytes.mjs'
import { cutOff } from './cuts.mjs'
import { MONEY, RANK, thirdWay } from './line.mjs'

const says = ({ suite, said, fault }, kind) => suite === 1 && !fault && said.kind === kind

/** Each acceptance by one side of what the other one offered, with one hash, whatever became of it: `{acceptance, offer}`. */
function signed(events, client, talent) {
  const sides = [client, talent]
  const known = new Map(events.map((event) => [event.name, event]))
  return events.flatMap((acceptance) => {
    if (!says(acceptance, 'terms.accepted') || !sides.includes(acceptance.who.identity)) return []
    const offer = known.get(acceptance.said.data.offer)
    if (!offer || !says(offer, 'terms.offered') || offer.said.data.hash !== acceptance.said.data.hash) return []
    if (!sides.includes(offer.who.identity) || offer.who.identity === acceptance.who.identity) return []
    return [{ acceptance, offer }]
  })
}

/** Those of them that name somebody who is neither side: name of the acceptance, agent and its device. */
const naming = (pairs, ...sides) =>
  pairs.flatMap(({ acceptance: { name }, offer }) => {
    const { agent, agent_device: device } = offer.said.data.terms
    return sides.includes(agent) ? [] : [{ name, agent, device }]
  })

/** What agents say in a deal: their answers, and the lines that begin with them. */
export class Thirds {
  constructor(events, names, { client, talent }) {
    const pairs = signed(events, client, talent)
    Object.assign(this, { events, names, client, talent, pairs, hired: naming(pairs, client, talent), spoken: new Map() })
  }

  /** The sealed events of an agent that may stand on a line. */
  speakers(agent) {
    if (!this.spoken.has(agent)) {
      const off = cutOff(this.events, agent, this.client, this.talent)
      const own = this.events.filter(({ suite, who, name }) => suite === 1 && who.identity === agent && !who.grant && !off.has(name))
      this.spoken.set(agent, own)
    }
    return this.spoken.get(agent)
  }

  /** The answers to a hire, behind `after`, that do not cover an earlier one. */
  answers({ name, agent, device }, after) {
    const mayAnswer = ({ chain, who }) => chain === device || who.kind === 'admin'
    const answers = (event) =>
      says(event, 'agent.device')
        ? event.said.data.after === after && event.said.data.device === event.chain
        : says(event, 'agent.refused') && event.said.data.hire === name
    const found = this.speakers(agent).filter((event) => mayAnswer(event) && answers(event))
    const names = new Set(found.map((event) => event.name))
    return found.filter((event) => !coversAny(event, names))
  }

  /** Have both sides signed terms since, knowing of a refusal? */
  confirms({ name }) {
    const behind = (event) => coversAny(event, new Set([name]))
    return this.pairs.some(({ acceptance, offer }) => behind(acceptance) && behind(offer))
  }

  /** What becomes of a hire: `{refusal}`, `{line, agent}`, or null as long as the agent has not answered. */
  answer(hire, after) {
    const answers = this.answers(hire, after)
    const refused = answers.filter((event) => says(event, 'agent.refused')).sort(byRows(RANK))
    const refusals = new Set(refused.map(({ name }) => name))
    const standing = new Set(answers.map(({ name }) => name))
    const mayGive = ({ chain, who, said, name }) =>
      (chain === hire.device || who.kind === 'admin') && (said.data.after !== after || standing.has(name))
    const speakers = this.speakers(hire.agent).filter((event) => !refusals.has(event.name) && !coversAny(event, refusals))
    const way = thirdWay(after, speakers, this.names, mayGive)
    const isConfirmed = refused.some((refusal) => this.confirms(refusal))
    const isFirm = way?.line.some(({ name, said }) => this.names.includes(name) || (!isConfirmed && MONEY.includes(said?.kind)))
    return refused.length && !isFirm ? { refusal: refused[0] } : way
  }
}

function coversAny(event, names) {
  const passed = new Set()
  for (const open = [...event.from]; open.length; ) {
    const each = open.pop()
    if (names.has(each.name)) return true
    if (passed.has(each.name)) continue
    passed.add(each.name)
    open.push(...each.from)
  }
  return false
}
