import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { suite } from 'uvu'
import { compareOffice } from './office-difference.ts'

const test = suite('two copies of an Office document')

/** A zip archive with stored (uncompressed) parts, as PKWARE's APPNOTE lays it out. */
function zip(parts: Readonly<Record<string, string>>, comment = ''): Buffer {
  const local: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(parts)) {
    const [path, content] = [Buffer.from(name), Buffer.from(text)]
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt32LE(crc32(content), 14)
    header.writeUInt32LE(content.length, 18)
    header.writeUInt32LE(content.length, 22)
    header.writeUInt16LE(path.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt32LE(crc32(content), 16)
    entry.writeUInt32LE(content.length, 20)
    entry.writeUInt32LE(content.length, 24)
    entry.writeUInt16LE(path.length, 28)
    entry.writeUInt32LE(offset, 42)
    local.push(header, path, content)
    directory.push(entry, path)
    offset += header.length + path.length + content.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(parts).length, 8)
  end.writeUInt16LE(Object.keys(parts).length, 10)
  end.writeUInt32LE(Buffer.concat(directory).length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...local, ...directory, end, Buffer.from(comment)])
}

const sent = {
  '[Content_Types].xml': '<Types/>',
  'word/document.xml': '<w:document>words</w:document>',
  'docProps/core.xml': '<cp:coreProperties/>',
}

test('what SharePoint adds to a document is told apart from a change of its words', () => {
  const rewritten = {
    ...sent,
    '[Content_Types].xml': '<Types><Override/></Types>',
    'docProps/custom.xml': '<Properties/>',
    'customXml/item1.xml': '<p:properties/>',
  }
  assert.deepEqual(compareOffice(zip(sent), zip(sent, 'a comment')), {
    verdict: 'identical',
    differs: [],
  })
  assert.deepEqual(compareOffice(zip(sent), zip(rewritten)), {
    verdict: 'properties',
    differs: ['[Content_Types].xml', 'customXml/item1.xml', 'docProps/custom.xml'],
  })
  assert.deepEqual(
    compareOffice(zip(sent), zip({ ...rewritten, 'word/document.xml': 'other words' })),
    { verdict: 'content', differs: ['word/document.xml'] },
  )
})

test('bytes that are no archive are refused in words, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, cut) => {
      for (const wrong of [bytes, zip(sent).subarray(0, cut), zip(sent).subarray(cut)]) {
        try {
          compareOffice(zip(sent), wrong)
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error))
        }
      }
    }),
  )
})

test.run()
