import type { Bridge } from '../../main/ipc/bridge.ts'
import type { CallInput, Effort, Estimate, Goal, Recipe, RunSummary } from '../../main/ipc/contract.ts'
import type { Problem } from './problem.ts'
import { withSettings } from './recipe-settings.ts'
import { newTaskName } from './tasks.svelte.ts'

/** What a person picks for a run. It stays while they visit other pages. */
export class TrainChoices {
  goal = $state<Goal>('fix-hands')
  modelId = $state<string>()
  effort = $state<Effort>('balanced')
  promptsKey = $state<string>()
  /** Empty for none. */
  templateKey = $state('')
  templateSlots = $state<Record<string, string>>({})
  rewardId = $state<string>()
  datasetId = $state<string>()
  /** Whether the model is the one that comes with Halfstep, which brings prompts, template and judge of its own. */
  starter = $state(false)
  name = $state('')
  /** What differs from the draft, by path. */
  settings = $state<Record<string, number>>({})
}

/** From choices to a recipe, to what it takes, to a run. */
export class TrainState {
  readonly choices = new TrainChoices()
  readonly #bridge: Bridge
  #draft = $state.raw<Recipe>()
  #estimate = $state.raw<Estimate>()
  /** The recipe that the estimate is of. */
  #estimated = $state.raw<Recipe>()
  #estimating = $state<string>()
  #problem = $state.raw<Problem>()
  #starting = $state(false)
  #turn = 0

  constructor(bridge: Bridge) {
    this.#bridge = bridge
  }

  /** What `training.draft` is asked for; undefined while something is missing. */
  get wish(): CallInput<'training.draft'> | undefined {
    const { goal, modelId, effort, promptsKey, templateKey, templateSlots, rewardId, datasetId, starter } = this.choices
    if (modelId === undefined) return undefined
    if (goal === 'teach-style') return datasetId === undefined ? undefined : { goal, modelId, effort, datasetId }
    if (goal === 'fix-hands' && starter) return { goal, modelId, effort }
    if (rewardId === undefined || promptsKey === undefined) return undefined
    return {
      goal, modelId, effort, promptsKey, rewardId,
      templateKey: templateKey === '' ? null : templateKey,
      ...(templateKey === '' ? {} : { templateSlots: { ...templateSlots } }),
    }
  }

  /** The draft with what was changed under Advanced. */
  readonly recipe = $derived(this.#draft && withSettings(this.#draft, this.choices.settings))

  get draft(): Recipe | undefined {
    return this.#draft
  }

  /** What the recipe would take; undefined when it was not asked for, or the recipe has changed since. */
  get estimate(): Estimate | undefined {
    return JSON.stringify(this.#estimated) === JSON.stringify(this.recipe) ? this.#estimate : undefined
  }

  /** The task of the estimate that is being made. */
  get estimating(): string | undefined {
    return this.#estimating
  }

  get starting(): boolean {
    return this.#starting
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  /** Drafts the recipe anew. */
  async redraft(wish: CallInput<'training.draft'> | undefined): Promise<void> {
    const turn = ++this.#turn
    if (wish === undefined) {
      this.#draft = undefined
      return
    }
    const reply = await this.#bridge.call('training.draft', wish)
    if (turn !== this.#turn) return
    this.#problem = reply.ok ? undefined : reply.error
    this.#draft = reply.ok ? reply.value.recipe : undefined
  }

  async measure(): Promise<void> {
    const { recipe } = this
    if (recipe === undefined || this.#estimating !== undefined) return
    const task = newTaskName()
    this.#estimating = task
    this.#problem = undefined
    const reply = await this.#bridge.call('training.estimate', { recipe, task })
    this.#estimating = undefined
    if (reply.ok) {
      this.#estimate = reply.value
      this.#estimated = recipe
    } else if (reply.error.code !== 'cancelled') this.#problem = reply.error
  }

  /** Puts the run into the queue. @param name where the person gave none */
  async start(name: string): Promise<RunSummary | undefined> {
    const { recipe } = this
    if (recipe === undefined || this.#starting) return undefined
    this.#starting = true
    this.#problem = undefined
    const reply = await this.#bridge.call('training.start', { name: this.choices.name.trim() || name, goal: this.choices.goal, recipe })
    this.#starting = false
    if (!reply.ok) {
      this.#problem = reply.error
      return undefined
    }
    this.choices.name = ''
    return reply.value
  }
}
