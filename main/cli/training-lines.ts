/** A training run in words. */
import type { TrainingCost, TrainingEvent } from '../engine/protocol.ts'
import { formatBytes, formatSeconds, plural } from './figures.ts'
import type { Colors } from './terminal.ts'

type EventOf<T extends TrainingEvent['type']> = Extract<TrainingEvent, { readonly type: T }>

/** What is worth a line of its own; the others are shown in passing. */
export function eventLines(event: TrainingEvent, colors: Colors): string[] {
  switch (event.type) {
    case 'started':
      return startedLines(event)
    case 'progress':
    case 'checkpoint':
      return []
    case 'sample':
      return [`Pictures of update ${event.update}: ${event.files.join(', ')}`]
    case 'warning':
      return [`${colors.yellow('!')} ${event.message} ${event.nextStep}`]
    case 'reward-weight':
      return [`The reward ${event.reward} has the weight ${event.weight} from update ${event.update + 1} on.`]
    case 'paused':
      return [`Paused after update ${event.update}: ${event.message} ${event.nextStep}`]
    case 'resumed':
      return [`Going on after update ${event.update}.`]
    case 'finished':
      return finishedLines(event, colors)
    case 'failed':
      // The error itself follows.
      return []
  }
}

/** `update 12 of 200, reward 0.412 ± 0.057, 3 min left`. */
export function progressLine({ update, updates, reward, timeLeft }: EventOf<'progress'>): string {
  const left = timeLeft === null ? '' : `, ${formatDuration(timeLeft)} left`
  return `update ${update} of ${updates}, reward ${digits(reward.mean)} ± ${digits(reward.spread)}${left}`
}

/** Whole units that people plan with: `40 s`, `3 min`, `2.5 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 90 * 60 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toPrecision(2)} h`
}

function startedLines({ folder, update, updates, parameters, estimate, deviceBytes }: EventOf<'started'>): string[] {
  const begin = update === 0 ? `Training in ${folder}` : `Continuing ${folder} after update ${update}`
  const total = estimate.secondsPerUpdate === null ? '' : `, about ${formatDuration(estimate.secondsPerUpdate * (updates - update))} in all`
  const memory = deviceBytes === null ? '' : ` of ${formatBytes(deviceBytes)}`
  return [`${begin}: ${plural(updates, 'update')}, ${plural(parameters, 'parameter')}`, `Expected: ${costText(estimate, memory)}${total}`]
}

function finishedLines({ adapter, update, adapterUpdate, estimate, measured }: EventOf<'finished'>, colors: Colors): string[] {
  const which = adapterUpdate === update ? '' : `, which is that of update ${adapterUpdate}`
  return [
    `${colors.green('✓')} Finished after update ${update}. Wrote ${adapter}${which}.`,
    `Measured: ${costText(measured)}; expected were ${costText(estimate)}`,
  ]
}

function costText({ secondsPerUpdate, memoryBytes }: TrainingCost, memoryNote = ''): string {
  const time = secondsPerUpdate === null ? 'unknown time per update' : `${formatSeconds(secondsPerUpdate)} per update`
  return `${time}, ${memoryBytes === null ? 'unknown memory' : `${formatBytes(memoryBytes)}${memoryNote} of memory`}`
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
