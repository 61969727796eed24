/** The training loop: updates, checkpoints, commands, and what happens when something goes wrong. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HalfstepError, toErrorValue } from '../errors.ts'
import type { PauseReason, RunWarning, TrainingCommand, TrainingCost, TrainingEvent, TrainingOutcome } from '../protocol.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import type { CommandInbox } from './command-inbox.ts'
import { isFinite, NotFinite } from './not-finite.ts'
import type { TrainingPlan } from './plan.ts'
import { readCheckpoint } from './checkpoint.ts'
import type { RunFolder } from './run-folder.ts'
import { initialState, type RunState } from './run-state.ts'
import { takeUpdate, type TakenUpdate } from './take-update.ts'
import type { TrainingTask } from './training-task.ts'

export interface TrainingRun {
  readonly task: TrainingTask
  readonly plan: TrainingPlan
  readonly folder: RunFolder
  readonly commands: CommandInbox
  readonly emit: (event: TrainingEvent) => void
  /** Whether a paused run waits for a command, or ends, to be continued by another call. */
  readonly whenPaused: 'wait' | 'end'
  /** Of the device, in bytes; null when it does not tell. */
  readonly deviceBytes: number | null
}

/** Updates in a row that may be taken back before the run pauses. */
const PATIENCE = 3
const FREE_MEMORY =
  'Close other programs that use the device and continue the run, or begin a new one with a smaller batch or smaller pictures.'
const UNKNOWN_COST: TrainingCost = { memoryBytes: null, secondsPerUpdate: null }

/** What the loop does next. */
type Next = 'go' | 'leave' | 'finish' | 'finish-with-best'

/**
 * Trains until the plan is done or someone stops it, from the folder's newest sound checkpoint on where there is one. What comes
 * out depends on recipe and seed alone: neither on interruptions nor on the clock.
 *
 * Ends in `finished`, or in `paused` where `whenPaused` says so. Throws what the task throws, except that trouble with the device
 * or the disk and numbers that are not finite pause the run; and `run.damaged` when no checkpoint is sound.
 */
export async function train(run: TrainingRun): Promise<TrainingOutcome> {
  return new Trainer(run).run()
}

class Trainer {
  readonly #run: TrainingRun
  #state: RunState
  /** Updates in a row that were taken back. */
  #failures = 0
  /** What was not finite in the last of them. */
  #lastFault = ''
  /** Whether a checkpoint at the recipe's interval is still to be written. */
  #saveDue = false
  /** Update of the newest checkpoint that this process wrote or read. */
  #savedAt: number | undefined
  /** Whether the task was told to need less memory. */
  #needsLess = false
  /** Path of the exported adapter, once the run is finished. */
  #adapter: string | undefined
  #estimate = UNKNOWN_COST
  #seconds = 0
  #updatesHere = 0

  constructor(run: TrainingRun) {
    this.#run = run
    this.#state = initialState(run.task.initialTheta(), run.plan.ema !== null)
  }

  async run(): Promise<TrainingOutcome> {
    const { folder } = this.#run
    try {
      let next = await this.#guarded(() => this.#start())
      while (next === 'go' && this.#state.update < this.#run.plan.updates) {
        // Commands arrive between turns of the event loop, which a task without any real waiting would never let come round.
        await nextTurn()
        next = await this.#guarded(() => this.#turn())
      }
      let withBest = false
      while (next !== 'leave' && this.#adapter === undefined) {
        withBest ||= next === 'finish-with-best'
        next = await this.#guarded(() => this.#finish(withBest))
      }
      if (this.#adapter !== undefined) return { outcome: 'finished', update: this.#state.update, adapter: this.#adapter }
      return { outcome: 'paused', update: this.#state.update, adapter: null }
    } catch (error) {
      await this.#tellAnyway({ type: 'failed', update: this.#state.update, error: toErrorValue(error) })
      throw error
    } finally {
      await folder.events.close().catch(() => undefined)
    }
  }

  /** Takes up the newest checkpoint. */
  async #start(): Promise<Next> {
    const { task, plan, folder, deviceBytes } = this.#run
    const { state, damaged } = await folder.load(plan.recipe)
    if (state !== undefined) {
      this.#state = state
      this.#savedAt = state.update
    }
    task.restore(this.#state.task)
    this.#estimate = await this.#withinMemory(() => task.estimate())
    const { update } = this.#state
    await this.#tell({
      type: 'started',
      folder: folder.path,
      update,
      updates: plan.updates,
      parameters: task.parameterCount,
      estimate: this.#estimate,
      deviceBytes,
      ...(task.rewardWeights === undefined ? {} : { rewardWeights: { ...task.rewardWeights } }),
    })
    for (const { kind, message, nextStep } of task.notes ?? []) await this.#warn(kind, message, nextStep)
    for (const { reason } of damaged) {
      await this.#warn('damaged-checkpoint', reason, `The run goes on from update ${update}, the newest checkpoint that is sound.`)
    }
    return 'go'
  }

  /** Obeys commands, then makes one update and what is due after it. */
  async #turn(): Promise<Next> {
    for (let command = this.#run.commands.take(); command !== undefined; command = this.#run.commands.take()) {
      const next = await this.#obey(command)
      if (next !== 'go') return next
    }
    if (this.#saveDue) await this.#save()
    const taken = await this.#attempt()
    if (taken === undefined) return this.#failures < PATIENCE ? 'go' : this.#pauseNotFinite()
    const { checkpoint, sampleEvery, updates } = this.#run.plan
    const { update } = this.#state
    this.#saveDue = update % checkpoint.every === 0 || update === updates
    await this.#tell(taken)
    if (this.#saveDue) await this.#save()
    if (sampleEvery !== null && update % sampleEvery === 0) await this.#sample()
    return 'go'
  }

  /** Makes an update; undefined when it was taken back. θ, moments and average are then as before, and the next one draws anew. */
  async #attempt(): Promise<TrainingEvent | undefined> {
    const { task, plan } = this.#run
    const started = performance.now()
    try {
      const taken = await this.#withinMemory(() => takeUpdate(task, plan, this.#state))
      this.#state = taken.state
      this.#failures = 0
      const seconds = (performance.now() - started) / 1000
      this.#seconds += seconds
      this.#updatesHere++
      return this.#progress(taken, seconds)
    } catch (error) {
      task.restore(this.#state.task)
      if (!(error instanceof NotFinite)) throw error
      this.#state = { ...this.#state, draws: this.#state.draws + plan.accumulation }
      this.#failures++
      this.#lastFault = error.what
      await this.#warn(
        'not-finite',
        `Update ${this.#state.update + 1} was taken back, because ${error.what} was not finite.`,
        'It is tried again with other noise.',
      )
      return undefined
    }
  }

  /** Does work on the device; when its memory does not suffice, once in a run's start, the same again with less. */
  async #withinMemory<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof HalfstepError) || error.code !== 'device.memory' || this.#needsLess) throw error
      const { task } = this.#run
      const less = await task.needLess?.()
      if (less === undefined) throw error
      this.#needsLess = true
      task.restore(this.#state.task)
      await this.#warn(
        'less-memory',
        `Update ${this.#state.update + 1} needs more memory than the device has left: ${error.message}`,
        `It is made again with ${less}; results are the same up to rounding, and updates take longer from now on.`,
      )
      return work()
    }
  }

  #progress({ rewards, parts, gradientNorm, learningRate, steps }: TakenUpdate, seconds: number): TrainingEvent {
    const { update } = this.#state
    const { updates } = this.#run.plan
    const average = rewards.reduce((sum, value) => sum + value, 0) / rewards.length
    const variance = rewards.reduce((sum, value) => sum + (value - average) ** 2, 0) / rewards.length
    return {
      type: 'progress',
      update,
      updates,
      parts: { ...parts },
      gradientNorm,
      learningRate,
      steps,
      seconds,
      reward: { mean: average, spread: Math.sqrt(variance), min: Math.min(...rewards), max: Math.max(...rewards) },
      timeLeft: ((updates - update) * this.#seconds) / this.#updatesHere,
    }
  }

  async #pauseNotFinite(): Promise<Next> {
    this.#failures = 0
    return this.#pause('not-finite', {
      message: `${PATIENCE} updates in a row were taken back, because ${this.#lastFault} was not finite.`,
      nextStep: 'Lower optimizer.learningRate, or compute in float32; the adapter is as it was before them.',
    })
  }

  async #obey(command: TrainingCommand): Promise<Next> {
    switch (command.type) {
      case 'pause':
        return this.#pause('asked', { message: 'The run was paused.', nextStep: 'Continue it whenever you like.' })
      case 'resume':
        return 'go'
      case 'stop':
        return 'finish'
      case 'stop-and-keep-best':
        return 'finish-with-best'
      case 'sample-now':
        await this.#sample()
        return 'go'
      case 'change-reward-weight':
        await this.#changeRewardWeight(command.reward, command.weight)
        return 'go'
    }
  }

  /** Saves where the run stands, and says so; then waits or leaves. */
  async #pause(reason: PauseReason, { message, nextStep }: { readonly message: string; readonly nextStep: string }): Promise<Next> {
    if (reason !== 'storage') await this.#save()
    await this.#tellAnyway({ type: 'paused', update: this.#state.update, reason, message, nextStep })
    if (this.#run.whenPaused === 'end') return 'leave'
    for (;;) {
      const command = await this.#run.commands.next()
      if (command.type === 'pause') continue
      const next = await this.#obey(command)
      if (next === 'go' && command.type !== 'resume') continue
      if (next === 'go') await this.#tell({ type: 'resumed', update: this.#state.update })
      return next
    }
  }

  /** Pauses when the disk refuses to write or the device fails; everything else is passed on. */
  async #guarded(work: () => Promise<Next>): Promise<Next> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof HalfstepError)) throw error
      const reason = error.code === 'file.unwritable' ? 'storage' : error.code.startsWith('device.') ? 'device' : undefined
      if (reason === undefined) throw error
      const nextStep = error.code === 'device.memory' ? FREE_MEMORY : error.nextStep
      return this.#guarded(() => this.#pause(reason, { message: error.message, nextStep }))
    }
  }

  /** Only checkpoints at the recipe's interval are compared for the best one, so that a pause between them changes nothing. */
  async #save(): Promise<void> {
    const { plan, folder } = this.#run
    const { recent, best, update } = this.#state
    const reward = recent.sum / recent.count
    const isBest = this.#saveDue && reward > (best?.reward ?? -Infinity)
    const state = !this.#saveDue ? this.#state : { ...this.#state, recent: { sum: 0, count: 0 }, best: isBest ? { update, reward } : best }
    const file = await folder.save(state, plan.recipe, plan.checkpoint.keepLast)
    this.#state = state
    this.#saveDue = false
    this.#savedAt = update
    await this.#tell({ type: 'checkpoint', update, file, best: isBest })
    await folder.events.sync()
  }

  /** Pictures are a courtesy: when they cannot be made, the run goes on. */
  async #sample(): Promise<void> {
    const { task, folder } = this.#run
    try {
      const files = await task.sample(this.#shown(this.#state), this.#state.update, folder.samples, folder.files)
      if (files.length > 0) await this.#tell({ type: 'sample', update: this.#state.update, files })
    } catch (error) {
      if (error instanceof HalfstepError && (error.code === 'file.unwritable' || error.code.startsWith('device.'))) throw error
      const { message, nextStep } = toErrorValue(error)
      await this.#warn('sample-failed', `The pictures of update ${this.#state.update} could not be made: ${message}`, nextStep)
    }
  }

  /** Saved at once, because the run could not be repeated from its recipe any more. */
  async #changeRewardWeight(reward: string, weight: number): Promise<void> {
    const { task } = this.#run
    if (!task.rewardParts.includes(reward)) {
      const known = task.rewardParts.join(', ')
      return this.#warn('no-such-reward', `No part of the reward is called ${reward}.`, `Its parts are: ${known}.`)
    }
    // Rewards from now on cannot be compared with the best one so far.
    task.setRewardWeight(reward, weight)
    this.#state = { ...this.#state, task: task.state(), best: null, recent: { sum: 0, count: 0 } }
    await this.#tell({ type: 'reward-weight', update: this.#state.update, reward, weight })
    await this.#save()
  }

  /** Writes the adapter and sums up. */
  async #finish(withBest: boolean): Promise<Next> {
    const { task, folder } = this.#run
    if (this.#saveDue || this.#savedAt !== this.#state.update) await this.#save()
    const chosen = withBest ? await this.#bestState() : this.#state
    const theta = this.#shown(chosen)
    if (!isFinite(theta)) throw new HalfstepError('internal', 'An adapter that is not finite was about to be written.')
    await task.exportAdapter(theta, folder.adapterFile, folder.files)

    const initial = task.initialTheta()
    const adapterChanged = chosen.theta.some((value, i) => value !== initial[i])
    const { rewardRange } = this.#state
    const rewardConstant = rewardRange !== null && isConstant(rewardRange)
    if (rewardConstant) {
      await this.#warn(
        'reward-constant',
        `Every picture of the run had the same reward, ${rewardRange.min}, so there was nothing to learn from it.`,
        "Choose a reward that tells the model's pictures apart.",
      )
    }
    if (!adapterChanged) {
      await this.#warn(
        'adapter-unchanged',
        'The adapter is the same as at the beginning: the run has learned nothing.',
        'Raise optimizer.learningRate or updates, or choose another reward.',
      )
    }
    await this.#tell({
      type: 'finished',
      update: this.#state.update,
      adapter: folder.adapterFile,
      adapterUpdate: chosen.update,
      adapterChanged,
      rewardConstant,
      seconds: this.#seconds,
      estimate: this.#estimate,
      measured: await this.#measured(),
    })
    await folder.events.sync()
    this.#adapter = folder.adapterFile
    return 'finish'
  }

  async #bestState(): Promise<RunState> {
    const { best } = this.#state
    const { folder, plan } = this.#run
    return best === null || best.update === this.#state.update
      ? this.#state
      : readCheckpoint(folder.checkpointFile(best.update), plan.recipe)
  }

  /** The parameters that are shown and exported: the moving average where the recipe says so. */
  #shown({ theta, ema }: RunState): Parameters {
    return this.#run.plan.ema?.export === true && ema !== null ? ema : theta
  }

  async #measured(): Promise<TrainingCost> {
    return {
      memoryBytes: await this.#run.task.peakMemory(),
      secondsPerUpdate: this.#updatesHere === 0 ? null : this.#seconds / this.#updatesHere,
    }
  }

  async #warn(kind: RunWarning, message: string, nextStep: string): Promise<void> {
    await this.#tell({ type: 'warning', update: this.#state.update, kind, message, nextStep })
  }

  /** Throws `file.unwritable` when the event cannot be written down; it has then been heard all the same. */
  async #tell(event: TrainingEvent): Promise<void> {
    this.#run.emit(event)
    await this.#run.folder.events.append(event)
  }

  /** For the events that tell of trouble, which may be trouble with the disk. */
  async #tellAnyway(event: TrainingEvent): Promise<void> {
    await this.#tell(event).catch(() => undefined)
  }
}

/** Up to rounding. */
function isConstant({ min, max }: { readonly min: number; readonly max: number }): boolean {
  return max - min <= 1e-9 * Math.max(Math.abs(min), Math.abs(max))
}
