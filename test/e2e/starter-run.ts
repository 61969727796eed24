import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { type Engine, engineIn } from '../../main/services/engine.ts'
import type { Services } from '../../main/services/services.ts'
import { CPU } from './scripted-engine.ts'

/** The engine in its processes, and which of them trains. */
export interface WatchedEngine {
  readonly engine: Engine
  /** The process that trains now, or trained last; undefined before the first. */
  trainer(): number | undefined
}

/** The real engine, whose training process a test can get hold of. Devices are not probed: it works on the processor. */
export function watchedEngine(): WatchedEngine {
  const trainers: (number | undefined)[] = []
  const launch = forkLauncher()
  const usual = engineIn(launch)
  const training = engineIn((listeners) => {
    const child = launch(listeners)
    trainers.push(child.pid)
    return child
  })
  return {
    engine: {
      probeDevices: async () => [CPU],
      run: (room, job, request, options) => (room === 'training' ? training : usual).run(room, job, request, options),
      dispose: async () => void await Promise.all([usual.dispose(), training.dispose()]),
    },
    trainer: () => trainers.at(-1),
  }
}

/** Begins to mend the starter's hands in small updates, with pictures and checkpoints every other one. Returns the run. */
export async function startStarterRun(services: Services, updates: number, more: { readonly threads?: number } = {}): Promise<string> {
  const model = await waitFor(() => services.models.list().find(({ builtIn }) => builtIn))
  const draft = await services.training.draft({ goal: 'fix-hands', modelId: model.id, effort: 'quick' })
  const recipe = {
    ...draft, updates, batch: { prompts: 2, samplesPerPrompt: 2 }, samples: { every: 2, count: 4 }, checkpoint: { every: 2, keepLast: 2 },
    ...more,
  }
  return (await services.training.start({ name: 'Hands', goal: 'fix-hands', recipe })).id
}

async function waitFor<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
