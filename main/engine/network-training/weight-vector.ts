import type { Parameter } from '../../../native-models/module.ts'
import { HalfstepError } from '../errors.ts'
import type { Random } from '../random/random.ts'
import { elementCount } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** Spread of token and position embeddings at the start, as transformers initialises CLIP. */
const EMBEDDING_DEVIATION = 0.02

/** All weights of a network one behind the other, so that an optimizer sees one vector and the network its tensors. */
export class WeightVector {
  readonly parameters: readonly Parameter[]
  /** Every weight, in the order of the parameters. */
  readonly values: Float32Array<ArrayBuffer>
  readonly #tensors: ReadonlyMap<string, FloatTensor>

  constructor(parameters: readonly Parameter[], values = new Float32Array(sizeOf(parameters))) {
    if (values.length !== sizeOf(parameters)) throw new RangeError(`${values.length} numbers for ${sizeOf(parameters)} weights`)
    let offset = 0
    this.parameters = parameters
    this.values = values
    this.#tensors = new Map(
      parameters.map(({ name, shape }) => {
        const view = values.subarray(offset, (offset += elementCount(shape)))
        return [name, float32(shape, view)]
      }),
    )
  }

  /**
   * Weights to begin with: layers uniform in ±1/√fan-in (He et al. 2015 with a = √5, PyTorch's default), their biases likewise,
   * norms the identity, embeddings normal. Names in `zero` begin at zero, such as the last layer of a network that is to start
   * by predicting nothing.
   */
  static initial(parameters: readonly Parameter[], random: Random, zero: (name: string) => boolean = () => false): WeightVector {
    const vector = new WeightVector(parameters)
    const fanIns = new Map(parameters.map(({ name, shape }) => [name, elementCount(shape.slice(1))]))
    parameters.forEach(({ name, shape }, i) => {
      const { data } = vector.tensor(name)
      const layer = name.endsWith('.bias') ? fanIns.get(name.replace(/bias$/, 'weight')) : elementCount(shape.slice(1))
      const isNorm = shape.length === 1 && fanIns.get(name.replace(/bias$/, 'weight')) === 1
      if (zero(name)) return
      if (isNorm) data.fill(name.endsWith('.weight') ? 1 : 0)
      else if (name.endsWith('embedding.weight')) {
        random.normal('initialisation', [i], shape).data.forEach((z, k) => (data[k] = EMBEDDING_DEVIATION * z))
      } else {
        const bound = 1 / Math.sqrt(layer ?? 1)
        random.uniform('initialisation', [i], data.length).forEach((u, k) => (data[k] = bound * (2 * u - 1)))
      }
    })
    return vector
  }

  /** One weight; a view, which changes with `values`. */
  tensor(name: string): FloatTensor {
    const tensor = this.#tensors.get(name)
    if (tensor === undefined) throw new HalfstepError('internal', `The network has no weight named ${name}.`)
    return tensor
  }

  /** Every weight by name; views. */
  get tensors(): ReadonlyMap<string, FloatTensor> {
    return this.#tensors
  }
}

function sizeOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0)
}
