import { openSafetensors } from '../../../native-models/weights/safetensors.ts'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { HalfstepError } from '../errors.ts'
import { toFloat32, type FloatTensor, type Tensor } from '../tensor/tensor.ts'
import type { WeightSource } from '../../../native-models/weights/weight-source.ts'

/** Inputs and expected outputs of a model, computed by another program; test/golden/README.md lists the names. */
export class Cases {
  readonly #source: WeightSource

  private constructor(source: WeightSource) {
    this.#source = source
  }

  /** Opens a cases file. Throws as the safetensors reader does. */
  static async open(path: string): Promise<Cases> {
    return new Cases(await openSafetensors(path))
  }

  /** Names of all tensors that begin with the prefix. */
  names(prefix = ''): string[] {
    return this.#source.names().filter((name) => name.startsWith(prefix))
  }

  has(name: string): boolean {
    return this.#source.find(name) !== undefined
  }

  /** A tensor as it is stored. Throws `cases.malformed` when the file lacks it. */
  async tensor(name: string): Promise<Tensor> {
    const entry = this.#source.find(name)
    if (entry === undefined) {
      throw new HalfstepError(
        'cases.malformed',
        `${this.#source.description} has no tensor ${name}, which its other tensors call for.`,
        'Make the cases file again.',
      )
    }
    return readWeight(entry)
  }

  async floats(name: string): Promise<FloatTensor> {
    return toFloat32(await this.tensor(name))
  }

  /** A tensor's numbers; for timesteps, windows and scalars. */
  async numbers(name: string): Promise<number[]> {
    return Array.from((await this.floats(name)).data)
  }

  async scalar(name: string): Promise<number> {
    const [value = NaN] = await this.numbers(name)
    return value
  }
}
