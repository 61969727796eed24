import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { EngineClient } from '../../main/engine/process/engine-client.ts'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { ENGINE_JOBS, type TrainingEvent } from '../../main/engine/protocol.ts'
import { temporaryFolder } from '../unit/training/toy-run.ts'

const GOLDEN = join(import.meta.dirname, '..', 'golden')

const RECIPE = {
  version: 1,
  date: '2026-01-01T00:00:00Z',
  model: join(GOLDEN, 'sd15-micro'),
  sampling: { steps: 2, guidance: 3 },
  prompts: ['a hand'],
  batch: { samplesPerPrompt: 2 },
  estimator: { kind: 'reinforce' },
  reward: { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 } },
  adapter: { rank: 2 },
  updates: 3,
  checkpoint: { every: 1 },
}

/** An engine in a process of its own, with the number of that process. */
function engine() {
  const fork = forkLauncher()
  const started = { pid: 0 }
  const client = new EngineClient(ENGINE_JOBS, (listeners) => {
    const process = fork(listeners)
    started.pid = process.pid ?? 0
    return process
  })
  onTestFinished(() => client.dispose())
  const train = (folder: string, onProgress: (event: TrainingEvent) => void = () => undefined) =>
    client.run('train.run', { folder, recipe: RECIPE, device: 'cpu', whenPaused: 'end' }, { onProgress })
  return { started, train }
}

// Windows cannot stop a process without ending it.
const onUnix = it.runIf(process.platform !== 'win32')

onUnix('a run that one process trains is refused to a second one, until the first is killed', { timeout: 180_000 }, async () => {
  const root = await temporaryFolder()
  const [first, second] = [engine(), engine()]
  const straight = join(root, 'straight')
  await second.train(straight)
  expect((await readdir(straight)).filter((name) => name.startsWith('.'))).toEqual([])

  const folder = join(root, 'run')
  const begun = Promise.withResolvers<undefined>()
  const killed = first.train(folder, ({ type }) => {
    if (type !== 'progress') return
    // Stopped, it cannot finish before the other has tried.
    process.kill(first.started.pid, 'SIGSTOP')
    begun.resolve(undefined)
  })
  const ended = expect(killed).rejects.toMatchObject({ code: 'engine.stopped' })
  await begun.promise
  const diary = await readFile(join(folder, 'events.jsonl'), 'utf8')
  await expect(second.train(folder)).rejects.toMatchObject({
    code: 'run.in-use',
    message: `${folder} is being trained by process ${first.started.pid}.`,
  })
  expect(await readFile(join(folder, 'events.jsonl'), 'utf8')).toBe(diary)

  process.kill(first.started.pid, 'SIGKILL')
  await ended
  expect(await second.train(folder)).toMatchObject({ outcome: 'finished', update: 3 })
  expect(await readFile(join(folder, 'adapter.safetensors'))).toEqual(await readFile(join(straight, 'adapter.safetensors')))
})
