import { appendFile, copyFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { TrainingEvent } from '../../../main/engine/protocol.ts'
import type { AlgorithmSettings } from '../../../main/engine/rlr/algorithm.ts'
import { readCheckpoint } from '../../../main/engine/training/checkpoint.ts'
import { type RunFolder } from '../../../main/engine/training/run-folder.ts'
import { TOY_ALGORITHM, toyTask } from './toy-model.ts'
import { runToy, TOY_PLAN, type ToyRun } from './toy-run.ts'

const adapterOf = (folder: RunFolder): Promise<Buffer> => readFile(folder.adapterFile)

const checkpointsOf = async (folder: RunFolder): Promise<string[]> => (await readdir(join(folder.path, 'checkpoints'))).sort()

const typesOf = (events: readonly TrainingEvent[]): string[] => events.map(({ type }) => type)

describe('a run', () => {
  it('raises the reward and tells what it did in events that fit the protocol', async () => {
    const { events, outcome } = await runToy({ plan: { updates: 60 } })
    for (const event of events) expect(TrainingEvent.parse(event)).toEqual(event)
    const rewards = events.flatMap((event) => (event.type === 'progress' ? [event.reward.mean] : []))
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(rewards).toHaveLength(60)
    expect(mean(rewards.slice(-10))).toBeGreaterThan(mean(rewards.slice(0, 10)) + 1)
    expect(outcome).toMatchObject({ outcome: 'finished', update: 60 })
    expect(events.at(-1)).toMatchObject({
      type: 'finished',
      adapterChanged: true,
      rewardConstant: false,
      measured: { secondsPerUpdate: expect.any(Number) as number },
    })
  })

  it('keeps the last checkpoints and the best, and writes down every event', async () => {
    const { folder, events } = await runToy({ plan: { updates: 30 } })
    const best = events.findLast((event) => event.type === 'checkpoint' && event.best)
    const expected = new Set([best?.update ?? 0, 27, 30])
    expect(await checkpointsOf(folder)).toEqual(
      [...expected].sort((a, b) => a - b).map((update) => `${String(update).padStart(6, '0')}.safetensors`),
    )
    const lines = (await readFile(join(folder.path, 'events.jsonl'), 'utf8')).split('\n').filter((line) => line !== '')
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(typesOf(events))
  })

  it('goes on with its diary after a kill tore the last line', async () => {
    const { folder } = await runToy({ onEvent: (event, commands) => event.update === 6 && commands.push({ type: 'pause' }) })
    const diary = join(folder.path, 'events.jsonl')
    await appendFile(diary, '{"type": "prog')
    const { events } = await runToy({ folder: folder.path })
    const lines = (await readFile(diary, 'utf8')).split('\n')
    expect(lines.filter((line) => line === '{"type": "prog')).toHaveLength(1)
    expect(lines.filter((line) => line.includes('"finished"'))).toHaveLength(1)
    expect(lines.filter((line) => line.endsWith('}')).length).toBeGreaterThan(events.length)
  })

  it('says that the adapter did not change and that the reward was constant', async () => {
    const task = toyTask({ algorithm: { kind: 'reinforce' }, spoil: (rewards) => rewards.fill(0.5) })
    const { events } = await runToy({ task, plan: { optimizer: { ...TOY_PLAN.optimizer, weightDecay: 0 } } })
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.kind] : []))
    expect(warnings).toEqual(['reward-constant', 'adapter-unchanged'])
    expect(events.at(-1)).toMatchObject({ type: 'finished', adapterChanged: false, rewardConstant: true })
  })

  const algorithms: AlgorithmSettings[] = [
    TOY_ALGORITHM,
    { ...TOY_ALGORITHM, coverage: 'importance', windows: 2, windowLength: 1, baseline: 'leave-one-out' },
    { ...TOY_ALGORITHM, coverage: 'none', proposal: { kind: 'uniform' } },
    { kind: 'ddpo', clip: 1e-2, innerEpochs: 2 },
    { kind: 'alignprop', depth: 'random' },
    { kind: 'reinforce' },
    { kind: 'zo', zerothOrder: { form: 'per-step', mu: 0.05, pairs: 2 } },
    { kind: 'public-code', firstOrderWeight: 0.05, halfOrderWeight: 0.001, chainLength: 2, clip: 1e-2 },
    { kind: 'full' },
  ]
  it.each(
    algorithms.map((algorithm) => [`${algorithm.kind}${'coverage' in algorithm ? ` ${algorithm.coverage}` : ''}`, algorithm] as const),
  )('continues %s exactly, with accumulation, average and drift penalty', async (_, algorithm) => {
    const task = () => toyTask({ algorithm, drift: 0.1 })
    const plan = { accumulation: 3, updates: 8 }
    const straight = await runToy({ task: task(), plan })
    const halting: ToyRun = {
      plan,
      onEvent: (event, commands) => event.type === 'progress' && event.update % 2 === 1 && commands.push({ type: 'pause' }),
    }
    const broken = await runToy({ ...halting, task: task() })
    expect(broken.outcome.outcome).toBe('paused')
    let outcome = broken.outcome.outcome
    while (outcome === 'paused')
      ({
        outcome: { outcome },
      } = await runToy({ ...halting, folder: broken.folder.path, task: task() }))
    expect(await adapterOf(broken.folder)).toEqual(await adapterOf(straight.folder))
  })
})

describe('commands', () => {
  it('pause and resume in place change nothing', async () => {
    const straight = await runToy()
    const paused = await runToy({
      whenPaused: 'wait',
      onEvent: (event, commands) => {
        if (event.type === 'progress' && event.update === 5) commands.push({ type: 'pause' })
        if (event.type === 'paused') commands.push({ type: 'resume' })
      },
    })
    expect(typesOf(paused.events)).toEqual(expect.arrayContaining(['paused', 'resumed', 'finished']))
    expect(await adapterOf(paused.folder)).toEqual(await adapterOf(straight.folder))
  })

  it('stop finishes with the adapter as it is', async () => {
    const { outcome, events } = await runToy({
      onEvent: (event, commands) => event.type === 'progress' && event.update === 4 && commands.push({ type: 'stop' }),
    })
    expect(outcome).toMatchObject({ outcome: 'finished', update: 4 })
    expect(events.at(-1)).toMatchObject({ type: 'finished', adapterUpdate: 4 })
  })

  it("stop-and-keep-best finishes with the best checkpoint's adapter", async () => {
    // Rewards fall after the sixth batch, so that the checkpoint after it stays the best one.
    const task = toyTask({ spoil: (rewards, index) => (index < 6 ? rewards : rewards.map((reward) => reward - 1000)) })
    const { folder, events } = await runToy({
      task,
      onEvent: (event, commands) => event.type === 'progress' && event.update === 10 && commands.push({ type: 'stop-and-keep-best' }),
    })
    const finished = events.at(-1)
    const best = events.findLast((event) => event.type === 'checkpoint' && event.best)
    expect(best?.update).toBeLessThanOrEqual(6)
    expect(finished).toMatchObject({ type: 'finished', adapterUpdate: best?.update })
    const state = await readCheckpoint(folder.checkpointFile(best?.update ?? 0), 'toy')
    expect((await adapterOf(folder)).subarray(-state.theta.byteLength)).toEqual(Buffer.from(state.ema!.buffer))
  })

  it('a changed reward weight is saved at once and outlives a restart', async () => {
    const pauseAt =
      (update: number): NonNullable<ToyRun['onEvent']> =>
      (event, commands) => {
        if (event.type !== 'progress') return
        if (event.update === 4) commands.push({ type: 'change-reward-weight', reward: 'near', weight: 3 })
        if (event.update === update) commands.push({ type: 'pause' })
      }
    const straight = await runToy({ onEvent: pauseAt(99) })
    const first = await runToy({ onEvent: pauseAt(7) })
    expect(first.events).toContainEqual({ type: 'reward-weight', update: 4, reward: 'near', weight: 3 })
    expect(first.events.findIndex((event) => event.type === 'checkpoint' && event.update === 4)).toBeGreaterThan(0)
    await runToy({ folder: first.folder.path })
    expect(await adapterOf(first.folder)).toEqual(await adapterOf(straight.folder))
    expect(await adapterOf(first.folder)).not.toEqual(await adapterOf((await runToy()).folder))
  })

  it('a reward that does not exist is named, with those that do', async () => {
    const { events } = await runToy({
      onEvent: (event, commands) =>
        event.type === 'progress' && event.update === 1 && commands.push({ type: 'change-reward-weight', reward: 'nar', weight: 3 }),
    })
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', kind: 'no-such-reward', nextStep: 'Its parts are: near.' }))
  })
})

describe('numbers that are not finite', () => {
  const spoiled = (...batches: number[]) => toyTask({ spoil: (rewards, index) => (batches.includes(index) ? rewards.fill(NaN) : rewards) })

  it('take the update back, and the next one draws other noise', async () => {
    const { events, outcome } = await runToy({ task: spoiled(4, 5) })
    expect(outcome.outcome).toBe('finished')
    const warnings = events.filter((event) => event.type === 'warning')
    expect(warnings).toHaveLength(2)
    expect(warnings[0]?.message).toContain('the reward was not finite')
    expect(events.filter((event) => event.type === 'progress').map(({ update }) => update)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    )
  })

  it('leave parameters, moments and average as they were', async () => {
    const states: unknown[] = []
    for (const task of [toyTask(), spoiled(4)]) {
      const { folder } = await runToy({ task, onEvent: (event, commands) => event.update === 4 && commands.push({ type: 'pause' }) })
      states.push(await readCheckpoint(folder.checkpointFile(4), 'toy'))
    }
    expect(states[1]).toEqual(states[0])
  })

  it('pause the run after three in a row, with a diagnosis; continued, it tries other noise', async () => {
    const first = await runToy({ task: spoiled(4, 5, 6) })
    expect(first.outcome).toEqual({ outcome: 'paused', update: 4, adapter: null })
    expect(first.events.at(-1)).toMatchObject({
      type: 'paused',
      reason: 'not-finite',
      message: expect.stringContaining('the reward was not finite') as string,
    })
    const second = await runToy({ task: spoiled(4, 5, 6), folder: first.folder.path })
    expect(second.outcome.outcome).toBe('finished')
    expect(second.events.some(({ type }) => type === 'warning')).toBe(false)
  })

  it('are caught in the gradient and in the parameters too', async () => {
    const plan = { schedule: { kind: 'constant', warmUp: 0 }, optimizer: { ...TOY_PLAN.optimizer, learningRate: 1e39 } } as const
    const huge = await runToy({ plan })
    expect(huge.events.at(-1)).toMatchObject({
      type: 'paused',
      message: expect.stringContaining("the adapter after the optimizer's step") as string,
    })
    const task = toyTask({ algorithm: { kind: 'reinforce' }, spoil: (rewards) => rewards.map((_, i) => (i === 0 ? 1e308 : 0)) })
    expect((await runToy({ task })).events.at(-1)).toMatchObject({
      type: 'paused',
      message: expect.stringContaining('the gradient') as string,
    })
  })
})

describe('damaged checkpoints', () => {
  it('are passed over for the one before, which is said, and the run ends the same', async () => {
    const straight = await runToy()
    const { folder } = await runToy({ onEvent: (event, commands) => event.update === 6 && commands.push({ type: 'pause' }) })
    await truncate(folder.checkpointFile(6), 300)
    const { events } = await runToy({ folder: folder.path })
    expect(events[0]).toMatchObject({ type: 'started', update: 3 })
    expect(events[1]).toMatchObject({
      type: 'warning',
      kind: 'damaged-checkpoint',
      message: expect.stringContaining(folder.checkpointFile(6)) as string,
    })
    expect(await adapterOf(folder)).toEqual(await adapterOf(straight.folder))
  })

  it('are noticed by a single flipped bit anywhere', async () => {
    const { folder } = await runToy({ plan: { updates: 3 } })
    const file = folder.checkpointFile(3)
    const bytes = await readFile(file)
    for (let position = 0; position < bytes.length; position += 61) {
      const flipped = Buffer.from(bytes)
      flipped[position]! ^= 1 << (position % 8)
      // The padding of the header is the only place where a bit means nothing.
      if (
        bytes[position] === 0x20 &&
        bytes
          .subarray(position - 1, position + 2)
          .toString()
          .trim().length < 2
      )
        continue
      await writeFile(file, flipped)
      await expect(readCheckpoint(file, 'toy'), `bit at ${position}`).rejects.toThrow(HalfstepError)
    }
  })

  it('fail the run with a plain sentence when none is left', async () => {
    const { folder } = await runToy({ plan: { updates: 3 } })
    await writeFile(folder.checkpointFile(3), 'nothing')
    await expect(runToy({ folder: folder.path, plan: { updates: 3 } })).rejects.toMatchObject({
      code: 'run.damaged',
      message: expect.stringContaining('none of its 1 checkpoints is sound') as string,
      nextStep: expect.stringContaining('backup') as string,
    })
  })

  it('of another recipe are not taken', async () => {
    const { folder } = await runToy({ plan: { updates: 3 } })
    await expect(runToy({ folder: folder.path, plan: { recipe: 'other' } })).rejects.toMatchObject({ code: 'run.damaged' })
  })

  it('that are newer than the one taken do not push sound ones out', async () => {
    const { folder } = await runToy({ onEvent: (event, commands) => event.update === 6 && commands.push({ type: 'pause' }) })
    for (const update of [7, 8, 9])
      await copyFile(folder.checkpointFile(6), folder.checkpointFile(update)).then(() => truncate(folder.checkpointFile(update), 100))
    await runToy({ folder: folder.path, onEvent: (event, commands) => event.type === 'started' && commands.push({ type: 'pause' }) })
    expect(await checkpointsOf(folder)).toEqual(['000003.safetensors', '000006.safetensors'])
  })
})

describe('a device that fails', () => {
  it('pauses the run, which goes on exactly', async () => {
    const straight = await runToy()
    let broken = false
    const pause = async () => {
      if (broken) throw new HalfstepError('device.memory', 'The device cpu ran out of memory.', 'Use a smaller batch.')
    }
    const first = await runToy({
      task: toyTask({ pause }),
      onEvent: (event) => {
        if (event.type === 'progress' && event.update === 5) broken = true
      },
    })
    expect(first.events.at(-1)).toMatchObject({ type: 'paused', update: 5, reason: 'device', message: 'The device cpu ran out of memory.' })
    await runToy({ folder: first.folder.path })
    expect(await adapterOf(first.folder)).toEqual(await adapterOf(straight.folder))
  })

  const tooLarge = () => new HalfstepError('device.memory', 'The device cuda failed while computing: out of memory.', 'Buy another.')

  /** A task whose updates need too much from the sixth on, so many times; and how often it was told to need less. */
  function greedy(times: number, less: string | null = 'blocks recomputed') {
    let made = 0
    let left = times
    const told = { count: 0 }
    const task = toyTask({
      pause: async () => {
        if (made < 5 || left === 0) return
        left--
        throw tooLarge()
      },
    })
    const needLess = async () => {
      told.count++
      return less ?? undefined
    }
    const onEvent: NonNullable<ToyRun['onEvent']> = (event) => {
      if (event.type === 'progress') made = event.update
    }
    return { told, run: { task: { ...task, needLess }, onEvent } }
  }

  it('for want of memory makes the update again with less, which is said and changes nothing', async () => {
    const { told, run } = greedy(1)
    const { outcome, events, folder } = await runToy(run)
    expect([outcome.outcome, told.count]).toEqual(['finished', 1])
    const warnings = events.filter(({ type }) => type === 'warning')
    expect(warnings).toEqual([
      {
        type: 'warning',
        update: 5,
        kind: 'less-memory',
        message: 'Update 6 needs more memory than the device has left: The device cuda failed while computing: out of memory.',
        nextStep: 'It is made again with blocks recomputed; results are the same up to rounding, and updates take longer from now on.',
      },
    ])
    expect(TrainingEvent.parse(warnings[0])).toEqual(warnings[0])
    expect(await adapterOf(folder)).toEqual(await adapterOf((await runToy()).folder))
  })

  it('for want of memory takes back what the task learned in the part of the update that went well', async () => {
    let batches = 0
    const spoil = (rewards: Float64Array): Float64Array => {
      if (++batches === 8) throw tooLarge()
      return rewards
    }
    const restored: unknown[] = []
    const inner = toyTask({ algorithm: { kind: 'reinforce' }, spoil })
    const task = {
      ...inner,
      needLess: async () => 'blocks recomputed',
      restore: (state: Parameters<typeof inner.restore>[0]) => {
        restored.push(state.json)
        inner.restore(state)
      },
    }
    const { outcome } = await runToy({ task, plan: { accumulation: 3, updates: 4 } })
    expect(outcome.outcome).toBe('finished')
    // At the start, and before the third update is made again: six batches had counted.
    expect(restored).toEqual([null, { batches: 6, weight: 1 }])
  })

  it.each([
    ['a second time pauses the run', 2, 'blocks recomputed'],
    ['with nothing left to save pauses the run', 1, null],
  ] as const)('for want of memory %s with what to do', async (_, times, less) => {
    const { told, run } = greedy(times, less)
    const { events, folder } = await runToy(run)
    expect(told.count).toBe(1)
    expect(events.at(-1)).toMatchObject({
      type: 'paused',
      update: 5,
      reason: 'device',
      message: 'The device cuda failed while computing: out of memory.',
      nextStep: expect.stringContaining('begin a new one with a smaller batch') as string,
    })
    await runToy({ folder: folder.path })
    expect(await adapterOf(folder)).toEqual(await adapterOf((await runToy()).folder))
  })

  it('for want of memory is told to need less once, however often that helps', async () => {
    const { told, run } = greedy(3)
    const { outcome } = await runToy({
      ...run,
      whenPaused: 'wait',
      onEvent: (event, commands) => {
        run.onEvent(event, commands)
        if (event.type === 'paused') commands.push({ type: 'resume' })
      },
    })
    expect([outcome.outcome, told.count]).toEqual(['finished', 1])
  })

  it('for want of memory while it is measured needs less from the start', async () => {
    let measured = 0
    const estimate = async () => {
      if (measured++ === 0) throw tooLarge()
      return { memoryBytes: 7, secondsPerUpdate: 1 }
    }
    const { events } = await runToy({ task: { ...toyTask(), estimate, needLess: async () => 'blocks recomputed' } })
    expect(events.slice(0, 2)).toMatchObject([{ type: 'warning', kind: 'less-memory' }, { type: 'started', estimate: { memoryBytes: 7 } }])
  })

  it('for another reason is not tried again', async () => {
    const { told, run } = greedy(0)
    const pause = async () => {
      throw new HalfstepError('device.failed', 'The device cuda was lost.')
    }
    const task = { ...toyTask({ pause }), needLess: run.task.needLess }
    const { outcome } = await runToy({ task })
    expect([outcome.outcome, told.count]).toEqual(['paused', 0])
  })
})
