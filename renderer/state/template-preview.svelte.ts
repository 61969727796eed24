import type { Bridge } from '../../main/ipc/bridge.ts'
import type { Template, TemplateEntry } from '../../main/ipc/contract.ts'
import type { Problem } from './problem.ts'
import { newTaskName } from './tasks.svelte.ts'
import { filledSlots } from './template-use.ts'

/** What a model takes its picture for at a place of the noise schedule: 1 is pure noise, 0 the picture itself. */
export interface ChainPicture {
  readonly fraction: number
  readonly picture: string
}

/** A look at a template: how a model walks its chain from noise to picture. The last one stays while other pages are visited. */
export class TemplatePreview {
  modelId = $state<string>()
  prompt = $state('')
  /** What was written into slots, by name; slots of other templates may be among them. */
  slots = $state.raw<Readonly<Record<string, string>>>({})
  readonly #bridge: Bridge
  #shown = $state.raw<{ readonly key: string; readonly template: Template }>()
  #pictures = $state.raw<readonly ChainPicture[]>([])
  #task = $state<string>()
  #problem = $state.raw<Problem>()
  #notes = $state.raw<readonly string[]>([])

  constructor(bridge: Bridge) {
    this.#bridge = bridge
    bridge.on('templates.picture', ({ task, fraction, picture }) => {
      if (task === this.#task) this.#pictures = [...this.#pictures, { fraction, picture }]
    })
  }

  /** Of the look that goes on, for its progress; undefined while there is none. */
  get task(): string | undefined {
    return this.#task
  }

  /** Whether the last look was at this template, saved or not. */
  isOf({ key }: TemplateEntry): boolean {
    return this.#shown?.key === key
  }

  /** Whether the template has been changed since. */
  isOlderThan(template: Template): boolean {
    return this.#shown !== undefined && JSON.stringify(this.#shown.template) !== JSON.stringify(template)
  }

  /** From noise to picture; those of the last look. */
  get pictures(): readonly ChainPicture[] {
    return this.#pictures
  }

  get problem(): Problem | undefined {
    return this.#problem
  }

  get notes(): readonly string[] {
    return this.#notes
  }

  /** Looks at a template as it is now, which need not be saved. @param key of the entry it belongs to */
  async look(key: string, template: Template): Promise<void> {
    const { modelId, prompt } = this
    if (modelId === undefined || this.#task !== undefined) return
    const task = newTaskName()
    this.#shown = { key, template }
    this.#pictures = []
    this.#problem = undefined
    this.#notes = []
    this.#task = task
    const slots = filledSlots({ template }, this.slots)
    const reply = await this.#bridge.call('templates.preview', { template, slots, modelId, prompt, task })
    this.#task = undefined
    if (reply.ok) this.#notes = reply.value.notes
    else if (reply.error.code !== 'cancelled') this.#problem = reply.error
  }

  /** What is there of it stays. */
  stop(): void {
    if (this.#task !== undefined) void this.#bridge.call('tasks.cancel', { task: this.#task })
  }
}
