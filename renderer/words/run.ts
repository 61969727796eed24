import type { RunSummary } from '../../main/ipc/contract.ts'

export interface StateWords {
  readonly label: string
  readonly tone: 'neutral' | 'accent' | 'good' | 'warning' | 'danger'
  readonly live: boolean
}

const STATES: Readonly<Record<RunSummary['state'], StateWords>> = {
  queued: { label: 'Waiting', tone: 'neutral', live: false },
  running: { label: 'Training', tone: 'accent', live: true },
  paused: { label: 'Paused', tone: 'warning', live: false },
  interrupted: { label: 'Interrupted', tone: 'warning', live: false },
  finished: { label: 'Finished', tone: 'good', live: false },
  failed: { label: 'Failed', tone: 'danger', live: false },
  stopped: { label: 'Called off', tone: 'neutral', live: false },
}

const WISHES: Readonly<Record<NonNullable<RunSummary['wish']>, string>> = {
  'pause': 'Pausing',
  'stop': 'Finishing',
  'stop-and-keep-best': 'Finishing',
}

/** Where a run stands, in a word or two; what was asked of it and not done yet goes before. */
export function stateWords({ state, wish }: Pick<RunSummary, 'state' | 'wish'>): StateWords {
  if (wish !== null && state === 'running') return { label: `${WISHES[wish]} …`, tone: 'accent', live: true }
  return STATES[state]
}

const GOALS: Readonly<Record<string, string>> = {
  'fix-hands': 'Fix hands',
  'teach-style': 'Teach my style',
  'tune-to-taste': 'Tune to my taste',
  'own-recipe': 'Own recipe',
}

/** What a run is for. */
export function goalWords(goal: string): string {
  return GOALS[goal] ?? goal
}

/** What a run can be told in its state. */
export interface RunChoices {
  readonly pause: boolean
  readonly resume: boolean
  readonly stop: boolean
}

export function choicesOf({ state, wish, update }: Pick<RunSummary, 'state' | 'wish' | 'update'>): RunChoices {
  const goesOn = state === 'running' && wish === null
  const canGoOn = state === 'paused' || state === 'interrupted' || state === 'failed'
  return { pause: goesOn || state === 'queued', resume: canGoOn, stop: goesOn || (canGoOn && update > 0) }
}

/** `72 of 200 · 12 min left`, as much of it as is known. */
export function progressWords({ update, updates, timeLeft, state }: Pick<RunSummary, 'update' | 'updates' | 'timeLeft' | 'state'>,
  duration: (seconds: number) => string): string {
  const left = timeLeft !== null && state === 'running' ? ` · ${duration(timeLeft)} left` : ''
  return `${update} of ${updates}${left}`
}
