import { StoreError, type Store } from '../adapters/store.ts'
import type { CheckOutcome } from '../model/check.ts'
import type { Finding } from '../model/finding.ts'
import type { InventoryEntry } from '../model/inventory.ts'
import { checkSidecar } from '../sources/check-sidecar.ts'
import { readSidecar, SIDECAR_LIMIT_BYTES } from '../sources/tdr-sidecar.ts'

/**
 * A record with what its own sidecar says of it: path, size, checksum. The outcome belongs to the
 * "Metadata rows" line.
 */
export async function withSidecar(
  entry: InventoryEntry,
  sidecar: NonNullable<InventoryEntry['sidecar']>,
  context: { readonly store: Store; readonly transferPrefix: string; readonly sealedOn: string },
): Promise<{ entry: InventoryEntry; outcome?: CheckOutcome }> {
  let bytes: Uint8Array
  try {
    bytes = await context.store.readWhole(
      (sidecar.root ?? entry.root ?? context.transferPrefix) + sidecar.key,
      {
        maxBytes: SIDECAR_LIMIT_BYTES,
        etag: sidecar.etag,
      },
    )
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return { entry, outcome: outcomeForError(error) }
  }
  const findings: Finding[] = []
  const report = (finding: Finding) => findings.push(finding)
  const statement = readSidecar(bytes, sidecar.key, report)
  if (statement !== undefined) checkSidecar(statement, context.sealedOn, report)
  const outcome: CheckOutcome =
    findings.length === 0 ? { kind: 'passed' } : { kind: 'failed', findings }
  if (statement === undefined) return { entry, outcome }
  return {
    outcome,
    entry: {
      ...entry,
      path: statement.path,
      stated: [...entry.stated, ...statement.checksums],
      ...statedSize(entry, statement.sizeBytes),
    },
  }
}

/** What a manifest said of the size stands beside what the sidecar says: whichever is wrong is reported. */
function statedSize(
  { sizeBytes, statedSizeBytes }: InventoryEntry,
  bySidecar: number | undefined,
): Pick<InventoryEntry, 'statedSizeBytes'> {
  if (bySidecar === undefined) return {}
  const manifestIsWrong = statedSizeBytes !== undefined && statedSizeBytes !== sizeBytes
  return manifestIsWrong ? {} : { statedSizeBytes: bySidecar }
}

function outcomeForError(error: StoreError): CheckOutcome {
  if (error.reason === 'missing' || error.reason === 'changed') {
    return {
      kind: 'failed',
      findings: [{ code: error.reason === 'missing' ? 'FILE.REMOVED' : 'FILE.CHANGED' }],
    }
  }
  return {
    kind: 'unchecked',
    unchecked: {
      reason: error.reason === 'denied' ? 'denied' : 'unavailable',
      message: 'The metadata sidecar of this record could not be read.',
      retryable: error.reason !== 'denied',
    },
  }
}
