import type { Job } from '../engine/model/check.ts'

export type BytesTally = { readonly files: number; readonly bytes: number }

/** Our own SHA-256 of every file: the baseline for whatever comes later. */
export const sha256: Job<BytesTally> = {
  id: 'sha256',
  summary: 'SHA-256 of every file, computed by us from the bytes received',
  check: 'digest',
  empty: { files: 0, bytes: 0 },
  merge: (a, b) => ({ files: a.files + b.files, bytes: a.bytes + b.bytes }),
  notes: () => [],
  begin: () => ({
    end: ({ digests, bytesRead, storedChecksum }) => {
      if (digests.sha256 === undefined)
        return { outcome: { kind: 'no basis' }, tally: { files: 0, bytes: 0 } }
      const tally = { files: 1, bytes: bytesRead }
      const ours = storedChecksum === undefined ? undefined : digests[storedChecksum.algorithm]
      if (storedChecksum === undefined || ours === undefined || ours === storedChecksum.value)
        return { outcome: { kind: 'passed' }, tally }
      const finding = {
        code: 'CHECKSUM.STORE_DIFFERS',
        value: `${storedChecksum.algorithm}:${ours}`,
        expected: `${storedChecksum.algorithm}:${storedChecksum.value}`,
      } as const
      return { outcome: { kind: 'failed', findings: [finding] }, tally }
    },
  }),
}
