import type { AdapterTarget } from '../../../native-models/adapter-slot.ts'
import { elementCount, type Shape } from '../tensor/shape.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** One matrix inside a flat parameter vector. */
interface Part {
  /** Graph input that takes it. */
  readonly input: string
  readonly shape: Shape
  readonly offset: number
  readonly role: 'down' | 'up'
  readonly target: AdapterTarget
}

/**
 * The order in which an adapter's matrices lie in the flat vector θ that optimizers and estimators work on: target by target as
 * the network declares them, A before B.
 */
export class ParameterLayout {
  readonly parts: readonly Part[]
  readonly size: number

  constructor(targets: readonly AdapterTarget[]) {
    let offset = 0
    this.parts = targets.flatMap((target) =>
      (['down', 'up'] as const).map((role): Part => {
        const { input, shape } = target[role]
        const part = { input, shape, offset, role, target }
        offset += elementCount(shape)
        return part
      }),
    )
    this.size = offset
  }

  /** θ as feeds of the network: views, not copies. */
  feeds(theta: Float32Array): Record<string, FloatTensor> {
    return Object.fromEntries(
      this.parts.map(({ input, shape, offset }) => [input, float32(shape, theta.subarray(offset, offset + elementCount(shape)))]),
    )
  }

  /** Gradients by input name as one vector. */
  gather(gradients: Readonly<Record<string, FloatTensor>>): Float32Array {
    const vector = new Float32Array(this.size)
    for (const { input, offset } of this.parts) {
      const gradient = gradients[input]
      if (gradient !== undefined) vector.set(gradient.data, offset)
    }
    return vector
  }
}
