import type { Bridge } from '../../main/ipc/bridge.ts'
import type { EventPayload, RunSummary } from '../../main/ipc/contract.ts'
import { Answer } from './answer.svelte.ts'
import type { Problem } from './problem.ts'

/** Every run of the library, kept up to date while they go on. */
export class RunListState {
  readonly #list: Answer<RunSummary[]>

  constructor(bridge: Bridge) {
    this.#list = new Answer(() => bridge.call('runs.list', {}))
    bridge.on('library.changed', ({ area }) => {
      if (area === 'runs') void this.load()
    })
    bridge.on('runs.event', (notice) => this.#take(notice))
  }

  /** Youngest first; undefined until they are known. */
  get runs(): readonly RunSummary[] | undefined {
    return this.#list.value
  }

  get problem(): Problem | undefined {
    return this.#list.problem
  }

  /** The run that goes on; where there is none, the one that a person would go on with: paused, interrupted or waiting. */
  get current(): RunSummary | undefined {
    const inState = (...states: RunSummary['state'][]): RunSummary | undefined => this.runs?.find(({ state }) => states.includes(state))
    return inState('running') ?? inState('paused', 'interrupted') ?? inState('queued')
  }

  load(): Promise<void> {
    return this.#list.load()
  }

  #take({ run, event }: EventPayload<'runs.event'>): void {
    const { runs } = this
    if (runs === undefined) return
    if (event.type === 'state' && !runs.some(({ id }) => id === run)) return void this.load()
    this.#list.set(runs.map((summary) => (summary.id === run ? changedBy(summary, event) : summary)))
    // The answer that is under way may be older than this.
    if (event.type === 'state' && this.#list.asking) void this.load()
  }
}

function changedBy(summary: RunSummary, event: EventPayload<'runs.event'>['event']): RunSummary {
  switch (event.type) {
    case 'state':
      return event.summary
    case 'progress': {
      const { update, mean, seconds } = event.point
      return {
        ...summary, update, timeLeft: event.timeLeft, latestReward: mean, firstReward: summary.firstReward ?? mean,
        seconds: summary.seconds + seconds,
      }
    }
    case 'sample':
      return { ...summary, cover: event.pictures[0]?.url ?? summary.cover }
    case 'weights':
    case 'log':
      return summary
  }
}
