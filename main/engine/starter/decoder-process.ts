import { fork } from 'node:child_process'
import { HalfstepError, type ErrorValue } from '../errors.ts'
import type { StageOptions, StageStep } from './stage.ts'

/** What the process that trains decoder and critic says. */
export type DecoderMessage =
  | { readonly kind: 'step'; readonly step: StageStep }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly error: ErrorValue }

/** What it is told: to keep what it has and end. Its parent being gone means the same. */
export type DecoderRequest = { readonly kind: 'stop' }

const PROGRAM = new URL('./decoder-main.ts', import.meta.url)

/**
 * Trains decoder and critic in a process of their own, from the finished autoencoder in the progress folder: beside the denoiser,
 * since neither needs the other, and two trainings on a core each are done sooner than one on two cores. `options.signal` stops it
 * with its progress kept.
 * @throws cancelled; engine.stopped when the process is gone; what the trainings throw
 */
export function trainDecoderAndCritic({ progressFolder, onStep, signal }: StageOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [progressFolder], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const stop = (): void => void (child.connected && child.send({ kind: 'stop' } satisfies DecoderRequest))
    let outcome: DecoderMessage | undefined
    signal?.addEventListener('abort', stop)
    child.on('message', (message: DecoderMessage) => {
      if (message.kind === 'step') onStep?.(message.step)
      else outcome = message
    })
    child.on('error', reject)
    child.on('close', (code, killed) => {
      signal?.removeEventListener('abort', stop)
      if (outcome?.kind === 'finished') resolve()
      else reject(outcome?.kind === 'failed' ? HalfstepError.fromValue(outcome.error) : ended(code, killed))
    })
    if (signal?.aborted === true) stop()
  })
}

function ended(code: number | null, signal: string | null): HalfstepError {
  const how = signal === null ? `with code ${code ?? 'none'}` : `by ${signal}`
  const message = `The process that trains decoder and critic ended ${how} before they were finished.`
  return new HalfstepError('engine.stopped', message, 'Build again with the same folder for progress: it goes on from there.')
}
