import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunState } from '../../main/ipc/contract.ts'
import type { Services } from '../../main/services/services.ts'
import { drawHand } from './hand-drawing.ts'
import type { Script } from './scripted-engine.ts'

const MODEL = join(import.meta.dirname, '..', 'golden', 'sd15-micro')

const REWARD = join(import.meta.dirname, '..', 'golden', 'onnx', 'resnet.onnx')

/** How the runs of the sample library go, by the seed in their recipe. */
export const SCRIPTS: Readonly<Record<string, Script>> = { 3: { holdAt: 92 }, 4: { failAt: 17 } }

export interface SampleIds {
  readonly finished: string
  readonly failed: string
  readonly running: string
  readonly adapter: string
  readonly dataset: string
}

/** A library as an artist has after a few weeks, made through the services alone. */
export async function fillLibrary(services: Services): Promise<SampleIds> {
  await services.devices.probe()
  const model = await services.tasks.run(undefined, 'Reading a model', (task) => services.models.add(MODEL, task))
  services.models.rename(model.id, 'Dreamscape v8')
  const dataset = await sampleDataset(services)
  await services.rewards.save({ name: 'Five fingers', spec: { kind: 'onnx', path: REWARD }, notes: '' })
  const recipe = (seed: number, updates: number, more = {}) => ({
    version: 1, trainer: 'rlr', model: model.path, seed, updates, adapter: { rank: 4, targets: ['attention'] },
    sampling: { steps: 20, guidance: 5 }, samples: { every: 20, count: 4 }, ...more,
  })
  const start = async (name: string, goal: string, given: object, until: RunState): Promise<string> => {
    const { id } = await services.training.start({ name, goal, recipe: given })
    await untilState(services, id, until)
    return id
  }
  await start('Five fingers, first try', 'fix-hands', recipe(1, 60), 'finished')
  const ink = recipe(2, 150, { adapter: { rank: 8, targets: ['attention'] } })
  const finished = await start('Ink and watercolour', 'tune-to-taste', ink, 'finished')
  const failed = await start('Large hands, 1024 pixels', 'fix-hands', recipe(4, 80), 'failed')
  const running = await start('Hands holding things', 'fix-hands', recipe(3, 200), 'running')
  await untilUpdate(services, running, 92)
  await start('Portrait eyes', 'tune-to-taste', recipe(5, 120), 'queued')
  const [adapter] = services.adapters.list()
  if (adapter === undefined) throw new Error('Finished runs leave adapters.')
  const prompts = ['an open hand, five fingers, gouache']
  const wish = { modelId: model.id, prompts, count: 4, sampler: 'dpmpp', steps: 25, guidance: 7 } as const
  for (const seed of [7, 11, 23]) {
    const adapters = [{ id: adapter.id, strength: 1 }]
    await services.tasks.run(undefined, 'Drawing', (task) => services.studio.generate({ ...wish, seed, adapters }, task))
  }
  return { finished, failed, running, dataset, adapter: adapter.id }
}

/** Drawings with captions, as an artist has them in a folder. */
async function sampleDataset(services: Services): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'halfstep-drawings-'))
  try {
    for (let index = 0; index < 14; index++) {
      writeFileSync(join(folder, `study-${index + 1}.png`), await drawHand({ fingers: 5, look: index }, 160 + 8 * index))
      const caption = `ink study, an open hand, ${index % 2 === 0 ? 'palm' : 'back'}`
      if (index % 5 !== 4) writeFileSync(join(folder, `study-${index + 1}.txt`), caption)
    }
    const { id } = services.datasets.create('Hand studies')
    await services.tasks.run(undefined, 'Reading pictures', (task) => services.datasets.import(id, [folder], task))
    return id
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function untilState(services: Services, id: string, state: RunState): Promise<void> {
  await until(() => services.runs.get(id, 1).summary.state === state, () => JSON.stringify(services.runs.get(id, 1).summary))
}

async function untilUpdate(services: Services, id: string, update: number): Promise<void> {
  const reached = (): number | undefined => services.runs.get(id, 1).metrics.update.at(-1)
  await until(() => reached() === update, () => `update ${reached()}`)
}

async function until(holds: () => boolean, found: () => string): Promise<void> {
  for (let waited = 0; !holds(); waited += 20) {
    if (waited > 20_000) throw new Error(`The sample library was not filled in time: ${found()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
