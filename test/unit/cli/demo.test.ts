import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EVALUATION_SEED, heldOutPrompts } from '../../../main/engine/evaluation/held-out.ts'
import { pairedChange } from '../../../main/engine/evaluation/paired-change.ts'
import { summariseArm } from '../../../main/engine/evaluation/summarise-arm.ts'
import { contactSheet } from '../../../main/engine/pictures/contact-sheet.ts'
import { encodePng } from '../../../main/engine/pictures/png.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { EngineJobs, EvaluatedArm, TrainingEvent } from '../../../main/engine/protocol.ts'
import { zeros } from '../../../main/engine/tensor/tensor.ts'
import { generateCommand, programName, resumeCommand } from '../../../main/cli/report/demo-lines.ts'
import { parseSummary } from '../../../main/cli/report/demo-summary.ts'
import { arm } from '../evaluation/arms.ts'
import { run, type Answers } from './recorder.ts'

let home: string
let folder: string
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'halfstep-demo-'))
  folder = join(home, 'demo')
  vi.stubEnv('HALFSTEP_HOME', home)
  vi.stubEnv('npm_lifecycle_event', undefined)
  // What the engine would have drawn.
  mkdirSync(folder)
  const sheet = await encodePng(contactSheet(zeros('float32', [6, 3, 64, 64]), { columns: 32, gap: 0 }))
  for (const moment of ['before', 'after']) writeFileSync(join(folder, `${moment}.png`), sheet)
  writeFileSync(join(home, 'recipe.json'), JSON.stringify({
    version: 1, model: 'starter', sampling: { steps: 8, eta: 1, guidance: 1 }, template: { use: 'starter-hand' }, updates: 3,
    batch: { prompts: 2, samplesPerPrompt: 4 },
  }))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

const BEFORE = arm('before', ['5', '6', '5', '6', '6', '4'])
const AFTER = arm('after', ['5', '5', '5', '5', '5', '5'])

const evaluation = (one: EvaluatedArm): EngineJobs['starter.evaluate']['result'] =>
  ({ arms: [one], summaries: [summariseArm(one, [])], changes: [] })

const progress = (update: number): TrainingEvent => ({
  type: 'progress', update, updates: 3, reward: { mean: 0.4 + 0.1 * update, spread: 0, min: 0, max: 1 }, parts: {}, gradientNorm: 1,
  learningRate: 1e-3, steps: [], seconds: 20, timeLeft: null,
})
const finished = { outcome: 'finished', update: 3, adapter: 'adapter.safetensors' } as const
const paused: TrainingEvent = { type: 'paused', update: 1, reason: 'asked', message: 'The run was paused.', nextStep: 'Continue it.' }

/** What the engine leaves in the run's folder. */
function leaveRun(): void {
  mkdirSync(join(folder, 'run'), { recursive: true })
  writeFileSync(join(folder, 'run', 'recipe.json'), '{"version": 1}')
  const lines = [1, 2, 2, 3].map((update) => JSON.stringify({ time: '2026-01-01T00:00:00Z', ...progress(update) }))
  writeFileSync(join(folder, 'run', 'events.jsonl'), `\n${lines.join('\n')}\n{"torn`)
}

const begin = (...more: string[]): string[] =>
  ['demo', '--recipe', join(home, 'recipe.json'), '--pictures', '6', '--out', folder, '--device', 'cpu', '--threads', '1', ...more]
const train = (...events: TrainingEvent[]): Answers => ({ 'train.run': { progress: events, result: finished } })

describe('halfstep demo', () => {
  it('draws and judges before training with the recipe\'s model and template, on held-out prompts and seeds', async () => {
    const failed: Answers = { 'starter.evaluate': { result: new HalfstepError('device.failed', 'The device failed.') } }
    const { code, requests } = await run(begin(), failed)
    expect(code).toBe(1)
    expect(requests).toEqual([{
      model: join(home, 'starter'),
      critic: join(home, 'starter', 'critic.onnx'),
      arms: [{ label: 'before', adapters: [], sheet: join(folder, 'before.png'), template: { source: 'starter-hand', slots: {} } }],
      prompts: await heldOutPrompts(),
      pictures: 6,
      seed: EVALUATION_SEED,
      sampling: { steps: 8, eta: 1, guidance: 1 },
      batch: 32,
      device: 'cpu',
      threads: 1,
    }])
  })

  it('pauses, says how to go on, and then does only what is not done yet', async () => {
    const first = await run(begin(), {
      'starter.evaluate': { result: evaluation(BEFORE) },
      'train.run': { progress: [progress(1), paused], result: { outcome: 'paused', update: 1, adapter: null } },
    })
    expect(first.code).toBe(130)
    expect(first.out).toContain('Before training the judge sees five fingers in 2 of 6 pictures.')
    expect(first.out).toContain(`Continue with: halfstep demo --resume --out ${folder}\n`)
    // The recipe with the threads that were asked for, and a look at pictures of before.
    expect(first.requests.slice(1)).toEqual([
      expect.objectContaining({
        folder: join(folder, 'run'), recipeFolder: home, recipe: expect.objectContaining({ updates: 3, threads: 1 }) as unknown,
      }),
      { type: 'sample-now' },
    ])

    leaveRun()
    const adapter = join(folder, 'run', 'adapter.safetensors')
    const second = await run(['demo', '--resume', '--out', folder], { ...train(), 'starter.evaluate': { result: evaluation(AFTER) } })
    expect([second.code, second.err]).toEqual([0, ''])
    expect(second.requests).toEqual([
      { folder: join(folder, 'run'), device: 'cpu', whenPaused: 'end' },
      expect.objectContaining({
        arms: [expect.objectContaining({ label: 'after', adapters: [{ path: adapter, strength: 1 }] })] as unknown,
      }),
    ])
    expect(second.out).toMatch(
      /five fingers, by the judge +33\.3 % \(9\.7–70\.0\) +100\.0 % \(61\.0–100\.0\) +\+66\.7 {2}\(\+4 −0, p = 0\.13\)/)
    // An update that was made twice counts once: 3 of 20 s each.
    expect(second.out).toContain('Trained for 60 s: 3 updates, 24 pictures.')
    expect(second.out).toContain(
      'No significant change: the judge sees five fingers in 100.0 % of the pictures instead of 33.3 % (p = 0.13).')
    expect(second.out).toMatch(/Draw: +halfstep generate .*--template starter-hand .*--steps 8 --eta 1 --guidance 1/)
    const page = readFileSync(join(folder, 'report.html'), 'utf8')
    expect(page).toContain('No significant change')
    const summary = parseSummary(readFileSync(join(folder, 'summary.json'), 'utf8'))
    expect(summary.change.five).toEqual(pairedChange(BEFORE, AFTER, []).five)
  })

  it('gives one JSON document with --json', async () => {
    leaveRun()
    await run(begin(), { ...train(), 'starter.evaluate': { result: evaluation(BEFORE) } })
    rmSync(join(folder, 'after.json'))
    const answers: Answers = { ...train(), 'starter.evaluate': { result: evaluation(AFTER) } }
    const { out } = await run(['demo', '--resume', '--out', folder, '--json'], answers)
    expect(JSON.parse(out)).toMatchObject({ report: join(folder, 'report.html'), verdict: { kind: 'unchanged' }, summary: { updates: 3 } })
  })

  it('leaves a demo that is there alone unless it is to be continued', async () => {
    writeFileSync(join(folder, 'demo.json'), '{}')
    const { code, err, requests } = await run(begin())
    expect([code, requests]).toEqual([1, []])
    expect(err).toContain(`--resume --out ${folder}`)
  })

  it.each([
    ['nothing to continue', ['--resume'], 1, 'holds no demo'],
    ['other settings for one that is continued', ['--resume', '--threads', '2'], 2, '--threads has no place beside --resume'],
    ['pictures that are no number', ['--pictures', '0'], 2, 'whole number from 1 on'],
  ])('refuses %s', async (_, options, code, message) => {
    const result = await run(['demo', '--out', join(home, 'nowhere'), ...options])
    expect([result.code, result.requests]).toEqual([code, []])
    expect(result.err).toContain(message)
  })

  it('refuses a damaged settings file', async () => {
    writeFileSync(join(folder, 'demo.json'), '{"mode": "slow"}')
    expect((await run(['demo', '--resume', '--out', folder])).err).toContain('holds no settings of a demo')
  })

  it('explains itself', async () => {
    const { code, out } = await run(['demo', '--help'])
    expect(code).toBe(0)
    for (const text of ['Usage: halfstep demo', '--full', '--resume', '--json', '  halfstep demo --resume', 'Exit codes:']) {
      expect(out).toContain(text)
    }
  })
})

describe('commands to go on with', () => {
  it('are spelt as this program was called', () => {
    expect(programName({})).toBe('halfstep')
    expect(programName({ npm_lifecycle_event: 'demo' })).toBe('npm run halfstep --')
    const here = join(process.cwd(), 'my demos', 'one')
    expect(resumeCommand('npm run halfstep --', here)).toMatch(/^npm run halfstep -- demo --resume --out "my demos.one"$/)
  })
  it('name files from here, and templates by their name', () => {
    const drawn = {
      model: join(process.cwd(), 'assets', 'starter'),
      adapter: '/elsewhere/a.safetensors',
      prompt: 'a hand, five fingers',
      sampling: { steps: 8, eta: 1, guidance: 1 },
    }
    expect(generateCommand('halfstep', { ...drawn, template: 'starter-hand' }).replaceAll('\\', '/')).toBe(
      'halfstep generate --model assets/starter --adapter /elsewhere/a.safetensors --template starter-hand --prompt "a hand, five fingers" '
      + '--steps 8 --eta 1 --guidance 1 --count 8 --out pictures')
    expect(generateCommand('halfstep', { ...drawn, template: undefined })).not.toContain('--template')
  })
})
