import type { Store, StoredObject } from '../adapters/store.ts'
import type { Claimed } from '../flow/match.ts'
import type { Finding } from '../model/finding.ts'
import type { BagDeclaration } from '../model/source.ts'
import { bagPartOf, readDeclaration, readPayloadOxum } from '../sources/bagit.ts'
import { openDocument } from './documents.ts'

/** A BagIt bag in a transfer: the whole of `records/`, or one of the folders directly in it. */
export type Bag = {
  /** Key of its root: `records/` or `records/{name}/`. */
  readonly root: string
  readonly parts: ReadonlyMap<string, StoredObject>
}

/** Collects what may be the root of a bag while a listing goes by. */
export class BagFinder {
  readonly #roots = new Map<string, Map<string, StoredObject>>()
  readonly #payloads = new Set<string>()

  see(object: StoredObject): void {
    const [, root = '', name = ''] = /^(records\/(?:[^/]+\/)?)([^/]+)$/.exec(object.key) ?? []
    if (name !== '' && object.irregular === undefined && bagPartOf(name) !== undefined) {
      const parts = this.#roots.get(root) ?? new Map<string, StoredObject>()
      this.#roots.set(root, parts.set(name, object))
    }
    const payload = /^(records\/(?:[^/]+\/)?)data\//.exec(object.key)?.[1]
    if (payload !== undefined) this.#payloads.add(payload)
  }

  /** A folder with bagit.txt, or with a payload manifest beside data/; not one inside another bag. */
  found(): Bag[] {
    const isBag = (root: string, parts: ReadonlyMap<string, StoredObject>) =>
      parts.has('bagit.txt') ||
      (this.#payloads.has(root) &&
        [...parts.keys()].some((name) => bagPartOf(name)?.kind === 'payload manifest'))
    const whole = this.#roots.get('records/')
    if (whole !== undefined && isBag('records/', whole)) return [{ root: 'records/', parts: whole }]
    return [...this.#roots]
      .filter(([root, parts]) => root !== 'records/' && isBag(root, parts))
      .map(([root, parts]) => ({ root, parts }))
  }
}

/** A bag with what its own tag files say, while its files are matched. */
export class OpenBag {
  readonly root: string
  readonly declaration: BagDeclaration
  readonly #payloadManifests: readonly string[]
  readonly #stated: { readonly bytes: number; readonly files: number } | 'unreadable' | undefined
  #bytes = 0
  #files = 0

  private constructor(
    bag: Bag,
    declaration: BagDeclaration,
    payloadManifests: readonly string[],
    stated: { readonly bytes: number; readonly files: number } | 'unreadable' | undefined,
  ) {
    this.root = bag.root
    this.declaration = declaration
    this.#payloadManifests = payloadManifests
    this.#stated = stated
  }

  /** Read bagit.txt and bag-info.txt; what is wrong with the bag as such goes to `note`. */
  static async open(
    bag: Bag,
    zoneStore: Store,
    transferRoot: string,
    note: (finding: Finding) => Promise<void>,
  ): Promise<OpenBag> {
    const declared = bag.parts.get('bagit.txt')
    const place = { document: `${bag.root}bagit.txt` }
    let declaration: BagDeclaration = { version: [1, 0], encoding: 'utf-8' }
    if (declared === undefined) await note({ code: 'BAGIT.DECLARATION', place })
    else {
      const { head } = await openDocument(zoneStore, { ...declared, root: transferRoot })
      const read = readDeclaration(head)
      declaration = read.declaration
      if (read.problem !== undefined)
        await note({ code: 'BAGIT.DECLARATION', place, detail: read.problem })
    }
    const manifests = [...bag.parts]
      .filter(([name]) => bagPartOf(name)?.kind === 'payload manifest')
      .map(([, { key }]) => key)
    if (manifests.length === 0)
      await note({ code: 'BAGIT.NO_MANIFEST', place: { document: bag.root } })
    const fetch = bag.parts.get('fetch.txt')
    if (fetch !== undefined) await note({ code: 'BAGIT.FETCH', place: { document: fetch.key } })
    const info = bag.parts.get('bag-info.txt')
    const stated =
      info === undefined
        ? undefined
        : await readPayloadOxum({
            ...(await openDocument(zoneStore, { ...info, root: transferRoot })),
            bag: declaration,
          })
    return new OpenBag(bag, declaration, manifests, stated)
  }

  /** The path rule of its manifests: from the bag's root. */
  get rule() {
    return { strip: '', add: this.root.slice('records/'.length), backslashes: false } as const
  }

  holds(key: string): boolean {
    return key.startsWith(this.root)
  }

  /** Tag files need not be listed anywhere. */
  isTagFile(key: string): boolean {
    return this.holds(key) && !key.startsWith(`${this.root}data/`)
  }

  /** One file of the bag, with what its manifests say of it. */
  *match(key: string, sizeBytes: number, claims: readonly Claimed[]): Generator<Finding> {
    if (!key.startsWith(`${this.root}data/`)) return
    this.#bytes += sizeBytes
    this.#files++
    const path = key.slice('records/'.length)
    const strict = this.declaration.version[0] >= 1
    const documents = claims.map(({ place }) => place.document)
    const inManifests = this.#payloadManifests.filter((one) => documents.includes(one))
    const wanted = strict
      ? this.#payloadManifests.length
      : Math.min(1, this.#payloadManifests.length)
    if (inManifests.length < wanted) yield { code: 'BAGIT.NOT_IN_EVERY_MANIFEST', path }
    for (const manifest of inManifests) {
      const twice = claims.filter(({ place }) => place.document === manifest)[1]
      if (twice !== undefined)
        yield {
          code: strict ? 'BAGIT.ENTRY_TWICE' : 'BAGIT.ENTRY_TWICE_OLD',
          path,
          place: twice.place,
        }
    }
  }

  *end(): Generator<Finding> {
    const stated = this.#stated
    if (stated === undefined) return
    const place = { document: `${this.root}bag-info.txt` }
    const ours = `${this.#bytes}.${this.#files}`
    if (stated === 'unreadable') yield { code: 'BAGIT.OXUM_DIFFERS', place, expected: ours }
    else if (stated.bytes !== this.#bytes || stated.files !== this.#files)
      yield {
        code: 'BAGIT.OXUM_DIFFERS',
        place,
        value: `${stated.bytes}.${stated.files}`,
        expected: ours,
      }
  }
}
