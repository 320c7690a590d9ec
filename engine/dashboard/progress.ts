import type { Step, TransferStatus } from '../service/transfer-status.ts'
import { numberWords } from './words.ts'

const steps: Readonly<Record<Step['step'], string>> = {
  arrive: 'All records arrived',
  take: 'Taken in hand',
  seal: 'Listed and sealed',
  check: 'Every file checked',
  report: 'Report delivered',
  decide: 'Decided by the archive',
}

/** One step in words: `Every file checked: in progress, 300 of 1,000 files`. */
export function stepWords({ step, state, files }: Step): string {
  const counted =
    files === undefined ? '' : `, ${numberWords(files.done)} of ${numberWords(files.of)} files`
  return `${steps[step]}: ${state}${counted}`
}

/** Where a transfer is now. */
export function progressWords(status: TransferStatus): string {
  if (status.processed) return status.verdict ?? status.status
  const current = status.steps.find(({ state }) => state === 'in progress')
  return current === undefined ? 'waiting' : stepWords(current)
}
