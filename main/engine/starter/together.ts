import { HalfstepError } from '../errors.ts'

/**
 * Does several things at once and waits for all of them. When one fails, or `signal` says so, the signal that each was given stops
 * them all.
 * @throws what the first failed with; what was merely stopped has less to say
 */
export async function together(signal: AbortSignal | undefined, tasks: readonly ((signal: AbortSignal) => Promise<void>)[]): Promise<void> {
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const failures: Error[] = []
  await Promise.all(
    tasks.map((task) =>
      task(stopped).catch((error: unknown) => {
        failures.push(error instanceof Error ? error : new Error('failed', { cause: error }))
        stop.abort()
      }),
    ),
  )
  const failure = failures.find((error) => !(error instanceof HalfstepError && error.code === 'cancelled')) ?? failures[0]
  if (failure !== undefined) throw failure
}
