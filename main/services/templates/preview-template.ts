import type { DeviceService } from '../devices.ts'
import type { Engine } from '../engine.ts'
import type { ModelService } from '../models.ts'
import type { ServiceBus } from '../service-events.ts'
import type { Task } from '../tasks.ts'

/** A template to look at, and what to draw with it. */
export interface PreviewWish {
  /** As `templates.save` takes it. */
  readonly template: unknown
  readonly slots: Readonly<Record<string, string>>
  readonly modelId: string
  readonly prompt: string
  readonly seed: number
  readonly steps: number
  readonly guidance: number
}

/** What the model takes a picture for at a place of the chain. */
export interface PreviewStep {
  /** Of the look that it belongs to. */
  readonly task: string
  /** Of the noise schedule: 1 is pure noise, 0 the picture itself. */
  readonly fraction: number
  /** As `src` takes it. */
  readonly picture: string
}

/** As many as stand side by side under a timeline, no larger than they are shown. */
const PICTURES = 9
const SIDE = 192

export interface PreviewParts {
  readonly engine: Engine
  readonly devices: DeviceService
  readonly models: ModelService
  readonly bus: ServiceBus
}

/** Looks at templates: the chain from noise to picture as a model walks it. Nothing of it is kept. */
export class PreviewService {
  readonly #parts: PreviewParts

  constructor(parts: PreviewParts) {
    this.#parts = parts
  }

  /**
   * Throws `library.missing` for a model that is gone, and what the engine throws.
   * @param name of the task, under which pictures are told
   */
  async preview({ modelId, ...wish }: PreviewWish, name: string, task: Task): Promise<{ readonly notes: string[] }> {
    const { engine, devices, models, bus } = this.#parts
    const { path } = models.get(modelId)
    const { device, float16 } = await devices.ready()
    const request = {
      ...wish, slots: { ...wish.slots }, model: path, device, sampler: 'ddim' as const, pictures: PICTURES, side: SIDE,
      precision: float16 ? ('float16' as const) : ('float32' as const),
    }
    return engine.run('studio', 'template.preview', request, {
      signal: task.signal,
      onProgress({ step, steps, picture }) {
        task.progress(step, steps)
        if (picture === null) return
        const { fraction, png } = picture
        const url = `data:image/png;base64,${Buffer.from(png).toString('base64')}`
        bus.emit('templates.picture', { task: name, fraction, picture: url })
      },
    })
  }
}
