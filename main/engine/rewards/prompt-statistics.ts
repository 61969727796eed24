import { z } from 'zod'

/** Fewer values of a prompt than this say less about it than those of all prompts do (as in DDPO, Black et al. 2023). */
const ENOUGH = 16

/** A reward that varies less than this is taken for constant: dividing by its spread would only blow up rounding. */
const SMALLEST_DEVIATION = 1e-6

const Moments = z.strictObject({ count: z.int().nonnegative(), mean: z.number(), squares: z.number().nonnegative() })
type Moments = z.infer<typeof Moments>

/** Everything that decides what comes next, for an exact resumption. JSON keeps every number to the last bit. */
export const PromptStatisticsState = z.strictObject({ all: Moments, prompts: z.array(z.tuple([z.string(), Moments])) })
export type PromptStatisticsState = z.infer<typeof PromptStatisticsState>

export interface Spread {
  readonly mean: number
  /** Never zero. */
  readonly deviation: number
}

const NOTHING: Moments = { count: 0, mean: 0, squares: 0 }

/** Running mean and deviation of a reward for every prompt: prompts differ in how hard they are, and that is no merit of a picture. */
export class PromptStatistics {
  #all = NOTHING
  readonly #prompts = new Map<string, Moments>()

  observe(prompt: string, value: number): void {
    this.#all = including(this.#all, value)
    this.#prompts.set(prompt, including(this.#prompts.get(prompt) ?? NOTHING, value))
  }

  /** Of the prompt itself if it was seen often enough, else of all prompts; 0 ± 1 before anything was seen. */
  of(prompt: string): Spread {
    const own = this.#prompts.get(prompt) ?? NOTHING
    return spread(own.count >= ENOUGH ? own : this.#all)
  }

  get state(): PromptStatisticsState {
    return { all: this.#all, prompts: [...this.#prompts] }
  }

  set state({ all, prompts }: PromptStatisticsState) {
    this.#all = all
    this.#prompts.clear()
    for (const [prompt, moments] of prompts) this.#prompts.set(prompt, moments)
  }
}

/** One more value, by Welford's recurrence (1962): `squares` is Σ (x − mean)². */
function including({ count, mean, squares }: Moments, value: number): Moments {
  const next = mean + (value - mean) / (count + 1)
  return { count: count + 1, mean: next, squares: squares + (value - mean) * (value - next) }
}

function spread({ count, mean, squares }: Moments): Spread {
  const deviation = count === 0 ? 1 : Math.sqrt(squares / count)
  return { mean, deviation: deviation < SMALLEST_DEVIATION ? 1 : deviation }
}
