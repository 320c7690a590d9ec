/**
 * Microsoft's quickXorHash, which SharePoint and OneDrive state for every file: a 160-bit circular
 * XOR in which each byte is shifted 11 bits further than the one before, with the length XORed
 * into the last 64 bits. It finds accidents; it proves nothing about tampering.
 * Source: learn.microsoft.com, "Code Snippets: QuickXorHash Algorithm".
 */
const WIDTH_BITS = 160
const SHIFT_BITS = 11
const CELLS = WIDTH_BITS // positions repeat after 160 bytes, since 160 * 11 is a multiple of 160

export class QuickXorHash {
  /** XOR of all bytes at each of the 160 positions; folded into bits only at the end. */
  readonly #cells = new Uint8Array(CELLS)
  #length = 0

  update(bytes: Uint8Array): void {
    const cells = this.#cells
    let position = this.#length % CELLS
    for (let i = 0; i < bytes.length; i++) {
      cells[position] = (cells[position] ?? 0) ^ (bytes[i] ?? 0)
      position = position + 1 === CELLS ? 0 : position + 1
    }
    this.#length += bytes.length
  }

  /** Lower-case hex of the 20 bytes. */
  hex(): string {
    const digest = new Uint8Array(WIDTH_BITS / 8)
    for (let i = 0; i < CELLS; i++) {
      const shift = (i * SHIFT_BITS) % WIDTH_BITS
      const shifted = (this.#cells[i] ?? 0) << (shift % 8)
      const first = Math.floor(shift / 8)
      const second = (first + 1) % digest.length
      digest[first] = (digest[first] ?? 0) ^ (shifted & 0xff)
      digest[second] = (digest[second] ?? 0) ^ (shifted >> 8)
    }
    const view = new DataView(digest.buffer)
    view.setBigUint64(12, view.getBigUint64(12, true) ^ BigInt(this.#length), true)
    return Buffer.from(digest).toString('hex')
  }

  save(): Uint8Array {
    const state = new Uint8Array(CELLS + 8)
    state.set(this.#cells)
    new DataView(state.buffer).setBigUint64(CELLS, BigInt(this.#length), true)
    return state
  }

  load(state: Uint8Array): void {
    this.#cells.set(state.subarray(0, CELLS))
    this.#length = Number(new DataView(state.buffer, state.byteOffset).getBigUint64(CELLS, true))
  }
}
