/** One entry of a zip archive, by its central directory: nothing is unpacked. */
type ZipEntry = { readonly name: string; readonly crc32: number; readonly sizeBytes: number }

export type OfficeDifference = {
  /** 'properties': all that differs is what SharePoint itself writes into documents. */
  readonly verdict: 'identical' | 'properties' | 'content'
  readonly differs: readonly string[]
}

/** What SharePoint rewrites when a document is put into a library: its columns, not its words. */
const PROPERTIES = /^(?:docProps\/|customXml\/|_rels\/|\[Content_Types\]\.xml$|[a-z]+\/_rels\/)/

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LONGEST_COMMENT = 0xffff

/**
 * Compare two Office documents (zip archives) part by part, by the CRC-32 and size that their
 * directories state. Throws RangeError for bytes that are no such archive.
 */
export function compareOffice(one: Uint8Array, other: Uint8Array): OfficeDifference {
  const ours = new Map(zipEntries(one).map((entry) => [entry.name, entry]))
  const theirs = new Map(zipEntries(other).map((entry) => [entry.name, entry]))
  const differs = [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((name) => {
      const [a, b] = [ours.get(name), theirs.get(name)]
      return a?.crc32 !== b?.crc32 || a?.sizeBytes !== b?.sizeBytes
    })
    .sort()
  const content = differs.filter((name) => !PROPERTIES.test(name))
  return {
    verdict: differs.length === 0 ? 'identical' : content.length === 0 ? 'properties' : 'content',
    differs: content.length > 0 ? content : differs,
  }
}

/** Sources: PKWARE APPNOTE 4.3.12 and 4.3.16. Office writes no zip64. */
function zipEntries(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = bytes.byteLength - 22
  while (end >= 0 && view.getUint32(end, true) !== END_OF_DIRECTORY) {
    if (end < bytes.byteLength - 22 - LONGEST_COMMENT) end = -1
    else end--
  }
  if (end < 0) throw new RangeError('it is no zip archive')
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  const entries: ZipEntry[] = []
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.byteLength || view.getUint32(at, true) !== DIRECTORY_ENTRY)
      throw new RangeError('its directory is damaged')
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true))
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + (name ?? 0))),
      crc32: view.getUint32(at + 16, true),
      sizeBytes: view.getUint32(at + 24, true),
    })
    at += 46 + (name ?? 0) + (extra ?? 0) + (comment ?? 0)
  }
  return entries
}
