import type { Store, StoredObject } from '../adapters/store.ts'
import type { Claimed } from '../flow/match.ts'
import type { Finding } from '../model/finding.ts'
import type { BagDeclaration } from '../model/source.ts'
import { bagPartOf, readDeclaration, readPayloadOxum } from '../sources/bagit.ts'
import { openDocument } from '../adapters/sealed-document.ts'

/** A BagIt bag in a transfer: the whole of `records/`, or any folder in it. */
export type Bag = {
  /** Key of its root: `records/` or a folder below it, with "/". */
  readonly root: string
  readonly parts: ReadonlyMap<string, StoredObject>
}

/** Collects what may be the root of a bag while a listing goes by. */
export class BagFinder {
  readonly #roots = new Map<string, Map<string, StoredObject>>()
  readonly #payloads = new Set<string>()

  see(object: StoredObject): void {
    const slash = object.key.lastIndexOf('/') + 1
    const name = object.key.slice(slash)
    if (object.irregular === undefined && bagPartOf(name) !== undefined) {
      const root = object.key.slice(0, slash)
      const parts = this.#roots.get(root) ?? new Map<string, StoredObject>()
      this.#roots.set(root, parts.set(name, object))
    }
    for (let at = object.key.indexOf(PAYLOAD); at >= 0; at = object.key.indexOf(PAYLOAD, at + 1))
      this.#payloads.add(object.key.slice(0, at + 1))
  }

  /** Folders with bagit.txt, or with a payload manifest beside data/; none inside another's data/. */
  found(): Bag[] {
    const bags: Bag[] = []
    const outerFirst = [...this.#roots].sort(([a], [b]) => a.length - b.length)
    for (const [root, parts] of outerFirst) {
      const isBag =
        parts.has('bagit.txt') ||
        (this.#payloads.has(root) &&
          [...parts.keys()].some((name) => bagPartOf(name)?.kind === 'payload manifest'))
      if (isBag && !bags.some((outer) => root.startsWith(`${outer.root}data/`)))
        bags.push({ root, parts })
    }
    return bags
  }
}

const PAYLOAD = '/data/'

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
    const all = [...bag.parts].filter(([name]) => bagPartOf(name)?.kind === 'payload manifest')
    // One of an algorithm that we do not compute is read by nobody here, and is said by its reader.
    const manifests = all
      .filter(([name]) => bagPartOf(name)?.algorithm !== undefined)
      .map(([, { key }]) => key)
    if (all.length === 0) await note({ code: 'BAGIT.NO_MANIFEST', place: { document: bag.root } })
    const fetch = bag.parts.get('fetch.txt')
    if (fetch !== undefined) await note({ code: 'BAGIT.FETCH', place: { document: fetch.key } })
    const info = bag.parts.get('bag-info.txt') ?? bag.parts.get('package-info.txt')
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
