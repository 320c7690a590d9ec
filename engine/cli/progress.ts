import type { Progress } from '../run/process.ts'
import type { Surroundings } from './surroundings.ts'

/** One bar a consignment on stderr; nothing at all where there is no terminal or it is not wanted. */
export type ProgressBars = {
  onProgress(progress: Progress): void
  stop(): void
}

export async function progressBars(
  surroundings: Surroundings,
  options: { readonly quiet: boolean },
): Promise<ProgressBars> {
  if (options.quiet || !surroundings.err.isTerminal)
    return { onProgress: () => undefined, stop: () => undefined }
  const { default: cliProgress } = await import('cli-progress')
  const bars = new cliProgress.MultiBar({
    format: '{reference} {bar} {percentage}% {step} {files}/{total} files',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
  })
  const byReference = new Map<string, { bar: ReturnType<typeof bars.create>; done: number }>()
  return {
    onProgress(progress) {
      const { reference } = progress.attempt
      if (progress.kind === 'sealed') {
        const bar = bars.create(Math.max(1, progress.files), 0, {
          reference,
          step: 'checking',
          files: 0,
          total: progress.files,
        })
        byReference.set(reference, { bar, done: 0 })
        return
      }
      const known = byReference.get(reference)
      if (known === undefined) return
      if (progress.kind === 'checked') {
        known.done += progress.files
        known.bar.update(known.done, { files: known.done })
      } else known.bar.update({ step: 'writing the report' })
    },
    stop: () => bars.stop(),
  }
}
