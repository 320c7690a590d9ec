import type { Upload } from './arrivals.ts'

/** An upload on its way: in the drop zone for good, and announced by a message that may expire. */
export type Consignment = {
  readonly upload: Upload
  /** Minutes of work whose chunks are recorded; what is done over starts after them. */
  doneMinutes: number
  firstStartUtc: number | undefined
  recordedUtc: number | undefined
  /** How often a task created the result: create-once lets only the first. */
  creations: number
  message: Message | undefined
}

/** One delivery of a message is known by its receipt: an old receipt acknowledges nothing. */
export type Message = {
  readonly consignment: Consignment
  readonly expiresUtc: number
  visibleUtc: number
  receipt: number
}

/** The drop zone, and a queue over it as SQS is one: at least once, and not for ever. */
export class SimulatedQueue {
  readonly consignments: Consignment[] = []
  readonly messages = new Set<Message>()
  expired = 0
  readonly #retentionMs: number

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs
  }

  arrive(upload: Upload, nowUtc: number): void {
    const consignment: Consignment = {
      upload,
      doneMinutes: 0,
      firstStartUtc: undefined,
      recordedUtc: undefined,
      creations: 0,
      message: undefined,
    }
    this.consignments.push(consignment)
    this.#announce(consignment, nowUtc)
  }

  /** The drop zones against the reports: what lies there, is not done and has no message gets one. */
  list(nowUtc: number): void {
    for (const one of this.unfinished()) if (one.message === undefined) this.#announce(one, nowUtc)
  }

  #announce(consignment: Consignment, nowUtc: number): void {
    const expiresUtc = nowUtc + this.#retentionMs
    const message = { consignment, expiresUtc, visibleUtc: nowUtc, receipt: 0 }
    consignment.message = message
    this.messages.add(message)
  }

  /** How many messages ended at their age. */
  expire(nowUtc: number): number {
    let ended = 0
    for (const message of this.messages) {
      if (message.expiresUtc > nowUtc) continue
      this.#remove(message)
      ended += 1
    }
    this.expired += ended
    return ended
  }

  /** Oldest upload first. */
  visible(nowUtc: number): Message[] {
    return [...this.messages]
      .filter(({ visibleUtc }) => visibleUtc <= nowUtc)
      .sort((a, b) => a.consignment.upload.atUtc - b.consignment.upload.atUtc)
  }

  acknowledge(message: Message, receipt: number): void {
    if (message.receipt === receipt) this.#remove(message)
  }

  unfinished(): Consignment[] {
    return this.consignments.filter(({ recordedUtc }) => recordedUtc === undefined)
  }

  #remove(message: Message): void {
    this.messages.delete(message)
    message.consignment.message = undefined
  }
}
