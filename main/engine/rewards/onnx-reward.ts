import { basename } from 'node:path'
import { Graph } from '../graph/graph.ts'
import { loadOnnx } from '../graph/onnx/open-onnx.ts'
import { DifferentiableNetwork } from '../networks/differentiable-network.ts'
import { float32, toFloat32, zeros, type FloatTensor } from '../tensor/tensor.ts'
import { onnxScorer, type OnnxScorer } from './onnx-scorer.ts'
import { pictureInput, type PictureInput } from './picture-input.ts'
import { pictureSlot, type PictureSlot } from './picture-slot.ts'
import { checkBatch, portion, starts } from './portions.ts'
import type { Reward, RewardGradient } from './reward.ts'
import type { ScoreTarget } from './score-target.ts'
import { sessionOptions, type RewardPlace } from './scoring-network.ts'

/** How the model is to see pictures, where its file does not say, and which of its numbers counts. */
export type OnnxRewardOptions = { readonly [Key in keyof PictureInput]?: PictureInput[Key] | undefined } & {
  readonly target?: ScoreTarget | undefined
}

/**
 * Any ONNX model that takes pictures [batch, 3, height, width] and gives numbers. By default it sees them as they are, in [0, 1],
 * scaled and cropped to the size it declares. The gradient is there when all operators between pictures and score have one; otherwise
 * `whyNoGradient` names those that have none. A model whose file fixes the batch gets the pictures in portions of that many.
 *
 * Throws `file.*`, `onnx.malformed`, and `recipe.impossible` when inputs or outputs do not fit.
 */
export async function openOnnxReward(file: string, options: OnnxRewardOptions, place: RewardPlace): Promise<Reward> {
  const model = await loadOnnx(file)
  const { batch, height, width } = place
  const slot = pictureSlot(model, file, { batch, height: options.height ?? height, width: options.width ?? width })
  const scorer = await onnxScorer({ model, path: file, slot, target: options.target ?? {} }, place)
  const reward = new OnnxReward(await inputNetwork(slot, options, place), scorer, slot)
  const shared = {
    name: basename(file, '.onnx'),
    evaluate: (pictures: FloatTensor, prompts: readonly string[]) => reward.scores(pictures, prompts),
    dispose: () => reward.dispose(),
  }
  const { gradient, whyNoGradient } = scorer
  if (gradient === undefined) return { ...shared, whyNoGradient }
  return { ...shared, gradient: (pictures, prompts, weights) => reward.gradient(pictures, prompts, weights, gradient) }
}

const PIXELS = 'pixels'

/** From `pictures` to what the model takes, apart from it: a model's graph is not ours to put something in front of. */
function inputNetwork(slot: PictureSlot, options: OnnxRewardOptions, place: RewardPlace): Promise<DifferentiableNetwork> {
  const graph = new Graph()
  const pictures = graph.input('pictures', 'float32', [slot.batch, 3, place.height, place.width])
  const { fit = 'crop', mean = [0, 0, 0], std = [1, 1, 1], clamp = true } = options
  graph.output(PIXELS, pictureInput(graph.scope, pictures, { height: slot.height, width: slot.width, fit, mean, std, clamp }))
  return DifferentiableNetwork.create(graph, { ...sessionOptions(place), outputs: [PIXELS], wrt: ['pictures'] })
}

class OnnxReward {
  readonly #input: DifferentiableNetwork
  readonly #scorer: OnnxScorer
  readonly #batch: number

  constructor(input: DifferentiableNetwork, scorer: OnnxScorer, { batch }: PictureSlot) {
    this.#input = input
    this.#scorer = scorer
    this.#batch = batch
  }

  async scores(pictures: FloatTensor, prompts: readonly string[]): Promise<Float64Array> {
    checkBatch(pictures, prompts)
    const values = new Float64Array(prompts.length)
    for (const start of starts(prompts.length, this.#batch)) {
      const scores = await this.#scorer.scores(await this.#pixels(portion(pictures, start, this.#batch)))
      values.set(scores.data.subarray(0, prompts.length - start), start)
    }
    return values
  }

  /** The chain rule by hand: through the model to its pixels, then through what was done to the pictures. */
  async gradient(
    pictures: FloatTensor,
    prompts: readonly string[],
    weights: Float64Array,
    modelGradient: NonNullable<OnnxScorer['gradient']>,
  ): Promise<RewardGradient> {
    checkBatch(pictures, prompts)
    const count = prompts.length
    const values = new Float64Array(count)
    const dPictures = zeros('float32', pictures.shape)
    const rowSize = dPictures.data.length / count
    for (const start of starts(count, this.#batch)) {
      const part = portion(pictures, start, this.#batch)
      const upstream = float32([this.#batch], Array.from({ length: this.#batch }, (_, i) => weights[start + i] ?? 0))
      const { scores, dPixels } = await modelGradient(await this.#pixels(part), upstream)
      const { gradients } = await this.#input.vjp({ pictures: part }, { [PIXELS]: dPixels })
      values.set(scores.data.subarray(0, count - start), start)
      dPictures.data.set(gradients.pictures?.data.subarray(0, (count - start) * rowSize) ?? [], start * rowSize)
    }
    return { values, dPictures }
  }

  async dispose(): Promise<void> {
    await this.#input.dispose()
    await this.#scorer.dispose()
  }

  async #pixels(pictures: FloatTensor): Promise<FloatTensor> {
    const { [PIXELS]: pixels } = await this.#input.forward({ pictures })
    return pixels === undefined ? pictures : toFloat32(pixels)
  }
}
