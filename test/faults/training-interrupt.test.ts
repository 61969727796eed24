import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../unit/training/toy-run.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const GOLDEN = join(ROOT, 'test', 'golden')

const RECIPE = {
  version: 1,
  date: '2026-01-01T00:00:00Z',
  model: join(GOLDEN, 'sd15-micro'),
  sampling: { steps: 3, guidance: 3 },
  prompts: ['a hand'],
  batch: { samplesPerPrompt: 2 },
  estimator: { kind: 'rlr', windowLength: 1, coverage: 'importance' },
  reward: { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 } },
  adapter: { rank: 2 },
  updates: 4,
  checkpoint: { every: 4 },
}

interface Ended {
  readonly code: number | null
  readonly events: { readonly type: string; readonly update?: number }[]
}

/** Runs `halfstep train` in a process group of its own, as a terminal does, and interrupts the group as Ctrl+C does. */
async function trainInTerminal(args: readonly string[], interruptAt?: (event: Ended['events'][number]) => boolean): Promise<Ended> {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(ROOT, 'main', 'cli', 'halfstep.mjs'), 'train', ...args, '--device', 'cpu', '--json'],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const events: Ended['events'] = []
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', (line) => {
    const event = JSON.parse(line) as Ended['events'][number]
    events.push(event)
    if (interruptAt?.(event) === true) process.kill(-child.pid!, 'SIGINT')
  })
  const [[code]] = (await Promise.all([once(child, 'exit'), once(lines, 'close')])) as unknown as [[number | null]]
  return { code, events }
}

it.runIf(process.platform !== 'win32')(
  'Ctrl+C pauses a run cleanly, and continued it ends with the same adapter',
  { timeout: 180_000 },
  async () => {
    const folder = await temporaryFolder()
    const recipe = join(folder, 'recipe.json')
    await writeFile(recipe, JSON.stringify(RECIPE))
    const straight = join(folder, 'straight')
    expect(await trainInTerminal([recipe, '--out', straight])).toMatchObject({ code: 0 })

    const broken = join(folder, 'broken')
    const first = await trainInTerminal([recipe, '--out', broken], ({ type, update }) => type === 'progress' && update === 1)
    expect(first.code).toBe(130)
    expect(first.events.at(-1)).toMatchObject({ type: 'paused', reason: 'asked' })
    const second = await trainInTerminal(['--resume', broken])
    expect(second.code).toBe(0)
    expect(second.events[0]).toMatchObject({ type: 'started', update: first.events.at(-1)?.update })
    expect(second.events.at(-1)).toMatchObject({ type: 'finished', update: 4 })
    expect(await readFile(join(broken, 'adapter.safetensors'))).toEqual(await readFile(join(straight, 'adapter.safetensors')))
  },
)
