import { ddimCoefficients, type StepCoefficients } from '../diffusion/ddim.ts'
import { branchGradients, guide } from '../diffusion/guidance.ts'
import { STABLE_DIFFUSION_SCHEDULE, noiseSchedule } from '../diffusion/noise-schedule.ts'
import { addTo, combine } from '../rlr/batch-arithmetic.ts'
import type { Denoiser, Parameters } from '../rlr/denoiser.ts'
import type { ChainNoise } from '../rlr/rollout.ts'
import { elementCount, type Shape } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { CheckContext } from './check-context.ts'
import { addedConditions, type UnetConditions, type UnetEvaluator } from './unet-evaluator.ts'

/** The sampling chain of a cases file: our networks and coefficients with the stored noise. */
export interface StoredChain {
  readonly coefficients: readonly StepCoefficients[]
  readonly denoiser: Denoiser
  readonly noise: ChainNoise
  /** The stored latent that enters the step at this position; the clean one at position T. */
  latent(position: number): FloatTensor
  /** The adapter's matrices by module path, in the order in which gradients lie in the flat vector. */
  readonly parameters: readonly { readonly name: string; readonly shape: Shape }[]
}

export async function storedChain(context: CheckContext): Promise<StoredChain> {
  const { cases, checkpoint } = context
  const timesteps = await cases.numbers('ddim.timesteps')
  const schedule = noiseSchedule(checkpoint.scheduler ?? STABLE_DIFFUSION_SCHEDULE)
  const coefficients = ddimCoefficients(schedule, timesteps, await cases.scalar('ddim.eta'), checkpoint.predictionType)
  const latents = slices(await cases.floats('ddim.latents'))
  const noise = slices(await cases.floats('ddim.noise'))
  const added = await addedConditions(context)
  const conditional = { context: await cases.floats('text.last_hidden_state'), added }
  const unconditional = { context: await cases.floats('text.uncond'), added }
  const { shape } = latents(0)
  const evaluator = await context.evaluators.get(context, shape, conditional.context.shape[1] ?? 1)
  const parameters = await Promise.all(
    evaluator.adapterNames.map(async (name) => ({ name, shape: (await cases.tensor(`lora.${name}`)).shape })),
  )
  const guidance = new Array<number>(shape[0] ?? 1).fill(await cases.scalar('ddim.guidance_scale'))
  return {
    coefficients,
    denoiser: new StoredDenoiser(evaluator, { timesteps, guidance, conditional, unconditional }),
    noise: { start: () => latents(0), step: noise },
    latent: latents,
    parameters,
  }
}

interface StoredConditions {
  readonly timesteps: readonly number[]
  /** Scale per sample. */
  readonly guidance: readonly number[]
  readonly conditional: UnetConditions
  readonly unconditional: UnetConditions
}

type Gradients = Awaited<ReturnType<Denoiser['vjp']>>

/** The guided network of a cases file. Its parameters are those of the cases, so that θ only says how many there are. */
class StoredDenoiser implements Denoiser {
  readonly parameterCount: number
  readonly #evaluator: UnetEvaluator
  readonly #conditions: StoredConditions
  readonly #strength: number

  constructor(evaluator: UnetEvaluator, conditions: StoredConditions) {
    this.#evaluator = evaluator
    this.#conditions = conditions
    this.#strength = evaluator.adapterNames.length > 0 ? 1 : 0
    this.parameterCount = evaluator.parameterCount
  }

  async predict(position: number, x: FloatTensor): Promise<FloatTensor> {
    const { guidance, conditional, unconditional } = this.#conditions
    const c = await this.#evaluator.predict(x, this.#timestep(position), conditional, this.#strength)
    const u = await this.#evaluator.predict(x, this.#timestep(position), unconditional, this.#strength)
    return guide(u, c, guidance)
  }

  async vjp(position: number, x: FloatTensor, _theta: Parameters, u: FloatTensor): Promise<Gradients> {
    const { guidance, conditional, unconditional } = this.#conditions
    const upstream = branchGradients(u, guidance)
    const own = await this.#branch(position, x, conditional, upstream.conditional)
    const other = await this.#branch(position, x, unconditional, upstream.unconditional)
    addTo(own.dTheta, other.dTheta)
    return { dx: combine(1, own.dx, 1, other.dx), dTheta: own.dTheta }
  }

  async #branch(position: number, x: FloatTensor, conditions: UnetConditions, u: FloatTensor): Promise<Gradients> {
    const { gradient } = await this.#evaluator.vjp(x, this.#timestep(position), conditions, this.#strength, u)
    const dTheta = new Float32Array(this.parameterCount)
    let offset = 0
    for (const name of this.#evaluator.adapterNames) {
      const { data } = gradient(name)
      dTheta.set(data, offset)
      offset += data.length
    }
    return { dx: gradient('sample'), dTheta }
  }

  #timestep(position: number): number[] {
    const { timesteps, guidance } = this.#conditions
    return guidance.map(() => timesteps[position] ?? 0)
  }
}

/** The parts of a tensor along its first axis, made when asked for. */
function slices({ shape: [, ...shape], data }: FloatTensor): (index: number) => FloatTensor {
  const size = elementCount(shape)
  return (index) => float32(shape, data.slice(index * size, (index + 1) * size))
}
