import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import type { Device, EngineJobs } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readModelAt } from '../../store/models.ts'
import { insertRun, RecipeJson } from '../../store/runs.ts'
import type { AdapterService } from '../adapters/adapters.ts'
import type { DatasetService } from '../datasets/datasets.ts'
import type { DeviceService } from '../devices.ts'
import type { Engine } from '../engine.ts'
import type { ModelService } from '../models.ts'
import { expandPrompts } from '../prompts/expand-prompts.ts'
import type { PromptService } from '../prompts/prompts.ts'
import type { RewardService } from '../rewards/rewards.ts'
import type { RunSupervisor } from '../runs/run-supervisor.ts'
import type { RunSummary } from '../runs/run-summary.ts'
import type { Task } from '../tasks.ts'
import type { TemplateService } from '../templates/templates.ts'
import { draftRecipe, type Effort, type Goal, type Ingredients } from './draft-recipe.ts'
import { starterRecipe } from './starter-recipe.ts'

/** What a person picks for a run. */
export interface DraftChoices {
  readonly goal: Goal
  readonly modelId: string
  readonly effort: Effort
  /** A set of prompts; for hands those that come with Halfstep unless given. */
  readonly promptsKey?: string | undefined
  /** Prompts in stages; null for none. For hands the one that comes with Halfstep unless given. */
  readonly templateKey?: string | null | undefined
  /** For the template's slots other than `subject`. */
  readonly templateSlots?: Readonly<Record<string, string>> | undefined
  readonly rewardId?: string | undefined
  /** Captioned pictures to learn from, as they are now. */
  readonly datasetId?: string | undefined
  /** An adapter to go on from. */
  readonly startAdapterId?: string | undefined
}

/** What hands are mended with unless something else is picked. */
const HANDS = { promptsKey: 'hands-training', templateKey: 'hands-five-fingers' }

/** Slots and alternatives can make more prompts than a recipe should hold. */
const MOST_PROMPTS = 256

/** What a run would take on the device that it would run on. */
export interface Estimate extends Omit<EngineJobs['train.estimate']['result'], 'cost'> {
  readonly device: Device
  readonly memoryBytes: number | null
  readonly secondsPerUpdate: number | null
  readonly totalSeconds: number | null
  /** Whether it fits into the device's memory; null where that cannot be told. */
  readonly fits: boolean | null
}

export interface TrainingParts {
  readonly database: LibraryDatabase
  readonly engine: Engine
  readonly devices: DeviceService
  readonly models: ModelService
  readonly supervisor: RunSupervisor
  readonly adapters: AdapterService
  readonly prompts: PromptService
  readonly templates: TemplateService
  readonly rewards: RewardService
  readonly datasets: DatasetService
  readonly libraryFolder: string
}

/** From a wish to a run: draft a recipe, check it, say what it takes, start it. */
export class TrainingService {
  readonly #parts: TrainingParts

  constructor(parts: TrainingParts) {
    this.#parts = parts
  }

  /** A recipe for what was picked; the starter's hands have one of their own. It may still lack something, which `start` names. */
  async draft(choices: DraftChoices): Promise<RecipeJson> {
    const { models, devices, adapters, rewards, datasets } = this.#parts
    const { goal, effort, modelId, rewardId, startAdapterId, datasetId } = choices
    const model = models.get(modelId)
    const tuned = model.builtIn && goal === 'fix-hands' && rewardId === undefined ? await starterRecipe(effort, model.path) : undefined
    if (tuned !== undefined) return tuned
    const { float16 } = await devices.ready()
    const frozen = datasetId === undefined ? null : await datasets.freeze(datasetId)
    return draftRecipe({
      ...this.#prompts(choices),
      template: await this.#template(choices),
      goal,
      effort,
      precision: float16 ? 'float16' : 'float32',
      model: { path: model.path, latentSide: model.summary.latentSize?.[1] ?? null },
      reward: rewardId === undefined ? null : rewards.get(rewardId).spec,
      pictures: frozen === null ? null : { folder: frozen.folder, count: frozen.images },
      start: startAdapterId === undefined ? null : adapters.fileOf(startAdapterId),
    })
  }

  #prompts(choices: DraftChoices): Pick<Ingredients, 'prompts' | 'negative'> {
    const { goal, promptsKey = goal === 'fix-hands' ? HANDS.promptsKey : undefined } = choices
    if (promptsKey === undefined) return { prompts: [], negative: '' }
    const { prompts, slots, negative } = this.#parts.prompts.get(promptsKey)
    return { prompts: expandPrompts(prompts, slots, MOST_PROMPTS).prompts, negative }
  }

  async #template(choices: DraftChoices): Promise<RecipeJson | null> {
    const { goal, templateKey = goal === 'fix-hands' ? HANDS.templateKey : null, templateSlots = {} } = choices
    if (templateKey === null) return null
    const { template } = await this.#parts.templates.get(templateKey)
    // By value, so that the recipe says all of it.
    return { use: template, slots: { ...templateSlots } }
  }

  /** The recipe with every default filled in. Throws `recipe.malformed` and `recipe.impossible`, naming the key. */
  async check(recipe: unknown): Promise<RecipeJson> {
    const { recipe: complete } = await this.#parts.engine.run('desk', 'recipe.check', { recipe })
    return RecipeJson.parse(JSON.parse(JSON.stringify(complete)))
  }

  /** Opens everything that a run would need, and measures. Throws as starting the run would. */
  async estimate(recipe: unknown, task: Task): Promise<Estimate> {
    const { engine, devices, libraryFolder } = this.#parts
    const { device } = await devices.ready()
    const scratch = await mkdtemp(join(tmpdir(), 'halfstep-estimate-'))
    try {
      task.progress(0, null, 'Opening the model and measuring')
      const request = { recipe, recipeFolder: libraryFolder, device, scratch }
      const { cost, ...facts } = await engine.run('studio', 'train.estimate', request, { signal: task.signal })
      const { memoryBytes, secondsPerUpdate } = cost
      return {
        ...facts,
        device,
        memoryBytes,
        secondsPerUpdate,
        totalSeconds: secondsPerUpdate === null ? null : secondsPerUpdate * facts.updates,
        fits: memoryBytes === null || facts.deviceBytes === null ? null : memoryBytes <= facts.deviceBytes,
      }
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }

  /** Checks a recipe and puts its run into the queue. Throws `recipe.malformed`, `recipe.impossible` and `device.unavailable`. */
  async start({ name, goal, recipe }: { readonly name: string; readonly goal: string; readonly recipe: unknown }): Promise<RunSummary> {
    const { database, devices, supervisor } = this.#parts
    const checked = await this.check(recipe)
    const { device } = await devices.ready()
    const { model, updates } = checked
    if (typeof model !== 'string' || typeof updates !== 'number') {
      throw new HalfstepError('internal', 'A checked recipe lacks model or updates.')
    }
    const id = randomUUID()
    insertRun(database, {
      id,
      name,
      goal,
      state: 'stopped',
      recipe: checked,
      folder: `runs/${id}`,
      device,
      modelId: readModelAt(database, model)?.id ?? null,
      update: 0,
      updates,
      reason: null,
      createdAt: new Date().toISOString(),
      startedAt: null,
      endedAt: null,
    })
    supervisor.enqueue(id)
    return supervisor.summary(id)
  }
}
