// What a test wants to know of a js gossipsub: the messages with their ids, who is in its mesh, and
// which control messages went to and came from whom. js-libp2p tells the former by events; the
// latter is read at the two doors through which each RPC passes, both of which are called on the
// object itself.

const KINDS = ['ihave', 'iwant', 'graft', 'prune', 'idontwant']
const MESSAGES_MAX = 10_000

const base64 = (bytes) => Buffer.from(bytes).toString('base64')

export class GossipProbe {
  constructor(gossip) {
    this.gossip_ = gossip
    this.messages_ = []
    this.sent_ = new Map()
    this.received_ = new Map()
    gossip.addEventListener('gossipsub:message', ({ detail }) => this.on_message(detail))
    this.watch_doors()
  }

  watch_doors() {
    const gossip = this.gossip_
    for (const name of ['handleReceivedRpc', 'sendRpc']) {
      if (typeof gossip[name] !== 'function')
        throw new Error(`gossipsub has no ${name}: its inside has changed`)
    }
    const receive = gossip.handleReceivedRpc.bind(gossip)
    gossip.handleReceivedRpc = (from, rpc) => {
      count(this.received_, from.toString(), rpc)
      return receive(from, rpc)
    }
    const send = gossip.sendRpc.bind(gossip)
    gossip.sendRpc = (to, rpc) => {
      const ok = send(to, rpc)
      if (ok) count(this.sent_, to, rpc)
      return ok
    }
  }

  on_message({ msgId, msg, propagationSource }) {
    if (this.messages_.length === MESSAGES_MAX)
      throw new Error(`more than ${MESSAGES_MAX} messages`)
    this.messages_.push({
      from: msg.from.toString(),
      topic: msg.topic,
      seqno: msg.sequenceNumber.toString(),
      data: base64(msg.data),
      id: Buffer.from(msgId, 'base64').toString('base64'),
      via: propagationSource.toString()
    })
  }

  async publish(topic, data) {
    const { recipients } = await this.gossip_.publish(topic, data)
    return { recipients: recipients.map(String) }
  }

  messages(topic) {
    return this.messages_.filter((message) => message.topic === topic)
  }

  mesh(topic) {
    return {
      mesh: [...(this.gossip_.mesh.get(topic) ?? [])],
      subscribers: this.gossip_.getSubscribers(topic).map(String)
    }
  }

  /** { sent: { peer: { ihave: n, ... } }, received: {...} }: RPCs that carried any of the kind. */
  controls() {
    return { sent: Object.fromEntries(this.sent_), received: Object.fromEntries(this.received_) }
  }
}

function count(table, peer, rpc) {
  const counts =
    table.get(peer) ?? Object.fromEntries([...KINDS, 'messages'].map((kind) => [kind, 0]))
  for (const kind of KINDS) counts[kind] += rpc.control?.[kind]?.length > 0 ? 1 : 0
  counts.messages += rpc.messages?.length ?? 0
  table.set(peer, counts)
}
