/** Latents judged by what they look like: decoded, and the pictures given to the reward. */
import type { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { Mixture } from '../rewards/mixture.ts'
import { mean } from '../rlr/batch-arithmetic.ts'
import type { ChainReward } from '../rlr/denoiser.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { NotFinite } from './not-finite.ts'

/** The reward of latents, by way of their pictures, and what its parts said of the first ones it was asked about. */
export class JudgedPictures {
  readonly #pipeline: StableDiffusion
  readonly #mixture: Mixture
  readonly #prompts: readonly string[]
  #parts: Readonly<Record<string, number>> | undefined

  constructor(pipeline: StableDiffusion, mixture: Mixture, prompts: readonly string[]) {
    this.#pipeline = pipeline
    this.#mixture = mixture
    this.#prompts = prompts
  }

  /** Means by part, as the rewards gave them. */
  get parts(): Readonly<Record<string, number>> {
    return this.#parts ?? {}
  }

  get reward(): ChainReward {
    const gradient = this.#mixture.gradient
    const value = async (x0: FloatTensor): Promise<Float64Array> => {
      const values = await this.#mixture.evaluate(await this.#pictures(x0), this.#prompts)
      this.#keepParts()
      return values
    }
    if (gradient === undefined) return { value }
    return {
      value,
      gradient: async (x0, weights) => {
        const { values, dPictures } = await gradient(await this.#pictures(x0), this.#prompts, weights)
        this.#keepParts()
        return { values, dx0: await this.#pipeline.decodeGradient(x0, dPictures) }
      },
    }
  }

  async #pictures(x0: FloatTensor): Promise<FloatTensor> {
    const pictures = await this.#pipeline.decode(x0)
    if (!pictures.data.every(Number.isFinite)) throw new NotFinite('a decoded picture')
    return pictures
  }

  /** Later ones are of perturbed copies. */
  #keepParts(): void {
    this.#parts ??= Object.fromEntries(this.#mixture.latest.map(({ name, raw }) => [name, mean(raw)]))
  }
}
