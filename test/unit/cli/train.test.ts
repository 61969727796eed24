import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { TrainingEvent } from '../../../main/engine/protocol.ts'
import { formatDuration } from '../../../main/cli/training-lines.ts'
import { run } from './recorder.ts'

let folder: string
let recipe: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-train-'))
  vi.stubEnv('HALFSTEP_HOME', folder)
  recipe = join(folder, 'hands.json')
  writeFileSync(recipe, '{"version": 1}')
})

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const cost = { memoryBytes: 2e9, secondsPerUpdate: 1.5 }
const EVENTS: TrainingEvent[] = [
  { type: 'started', folder: '/runs/hands', update: 0, updates: 40, parameters: 27648, estimate: cost, deviceBytes: 8e9 },
  {
    type: 'progress',
    update: 1,
    updates: 40,
    reward: { mean: 0.41234, spread: 0.05, min: 0, max: 1 },
    parts: {},
    gradientNorm: 1,
    learningRate: 1e-3,
    steps: [],
    seconds: 1.4,
    timeLeft: 55,
  },
  { type: 'warning', update: 1, kind: 'not-finite', message: 'Update 2 was taken back.', nextStep: 'It is tried again.' },
]
const FINISHED: TrainingEvent = {
  type: 'finished',
  update: 40,
  adapter: '/runs/hands/adapter.safetensors',
  adapterUpdate: 30,
  adapterChanged: true,
  rewardConstant: false,
  seconds: 60,
  estimate: cost,
  measured: { memoryBytes: 2.1e9, secondsPerUpdate: 1.6 },
}
const finished = { outcome: 'finished', update: 40, adapter: '/runs/hands/adapter.safetensors' } as const
const paused = { outcome: 'paused', update: 1, adapter: null } as const

describe('halfstep train', () => {
  it('tells what is expected, what goes wrong, and what came of it', async () => {
    const { code, out, requests } = await run(['train', recipe, '--out', join(folder, 'run'), '--device', 'cpu'], {
      'train.run': { progress: [...EVENTS, FINISHED], result: finished },
    })
    expect(code).toBe(0)
    expect(out).toBe(
      [
        'Training in /runs/hands: 40 updates, 27.6 k parameters',
        'Expected: 1.50 s per update, 2.00 GB of 8.00 GB of memory, about 60 s in all',
        '! Update 2 was taken back. It is tried again.',
        '✓ Finished after update 40. Wrote /runs/hands/adapter.safetensors, which is that of update 30.',
        'Measured: 1.60 s per update, 2.10 GB of memory; expected were 1.50 s per update, 2.00 GB of memory',
        '',
      ].join('\n'),
    )
    expect(requests).toEqual([
      { folder: join(folder, 'run'), recipe: { version: 1 }, recipeFolder: folder, device: 'cpu', whenPaused: 'end' },
    ])
  })

  it('prints every event as a line of JSON with --json', async () => {
    const { out } = await run(['train', recipe, '--device', 'cpu', '--json'], {
      'train.run': { progress: [...EVENTS, FINISHED], result: finished },
    })
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([...EVENTS, FINISHED])
  })

  it.each([
    ['asked', 130],
    ['storage', 1],
    ['not-finite', 1],
  ] as const)('says how to continue a run paused for %s, and ends with %i', async (reason, expected) => {
    const event: TrainingEvent = { type: 'paused', update: 1, reason, message: 'The disk is full.', nextStep: 'Make room.' }
    const { code, out } = await run(['train', '--resume', join(folder, 'run'), '--device', 'cpu'], {
      'train.run': { progress: [...EVENTS, event], result: paused },
    })
    expect(code).toBe(expected)
    expect(out).toContain('Paused after update 1: The disk is full. Make room.\n')
    expect(out).toContain(`Continue with: halfstep train --resume ${join(folder, 'run')}\n`)
  })

  it('does not touch a run that is there unless it is to be continued', async () => {
    mkdirSync(join(folder, 'old'))
    writeFileSync(join(folder, 'old', 'recipe.json'), '{}')
    const { code, err, requests } = await run(['train', recipe, '--out', join(folder, 'old'), '--device', 'cpu'])
    expect([code, requests]).toEqual([1, []])
    expect(err).toContain(`--resume ${join(folder, 'old')}`)
  })

  it.each([[['train']], [['train', '--resume', 'a', '--out', 'b']]])('%j is a usage error', async (args) => {
    expect(await run([...args, '--device', 'cpu'])).toMatchObject({ code: 2, requests: [] })
  })
})

it.each([
  [12.2, '13 s'],
  [89, '89 s'],
  [200, '3 min'],
  [9000, '2.5 h'],
])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text))
