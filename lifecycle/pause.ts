/**
 * When a person's pause of the schedule was first seen. AWS does not say since when a target is
 * suspended, so whoever looks first writes it down in the state, and whoever sees it ended clears it.
 */
export type SeenPause = { readonly pausedSinceUtc: number | null }

/** A pause that nobody ended is taken for forgotten: longer than the longest closure (107 h). */
export const PAUSE_LASTS_MS = 5 * 24 * 3_600_000

export function pauseKey(resourceId: string): string {
  return `lifecycle/pauses/${resourceId.replaceAll('/', '.')}.json`
}

/** What is known of a pause after a look; `write` where that has to be written down. */
export function seenPause(
  json: string | undefined,
  suspended: boolean,
  nowUtc: number,
): { readonly pausedSinceUtc: number | undefined; readonly write: string | undefined } {
  const before = json === undefined ? null : (JSON.parse(json) as SeenPause).pausedSinceUtc
  if (!suspended)
    return {
      pausedSinceUtc: undefined,
      write: before === null ? undefined : written(null),
    }
  return {
    pausedSinceUtc: before ?? nowUtc,
    write: before === null ? written(nowUtc) : undefined,
  }
}

/** To be written down when a pause is ended for whoever forgot it. */
export const noPause = written(null)

function written(pausedSinceUtc: number | null): string {
  return JSON.stringify({ pausedSinceUtc } satisfies SeenPause)
}
