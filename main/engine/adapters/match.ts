/** Whether an adapter fits a model. */
import { HalfstepError } from '../errors.ts'
import { elementCount, formatShape, sameShape, type Shape } from '../tensor/shape.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import { FAMILY_NAMES, adapterFamily, familyOf } from './base-family.ts'
import { moduleKey, weightShapeOf, type Adapter, type AdapterComponent, type LoraModule } from './lora.ts'

/** A layer of a model that could be adapted. */
export interface AdaptableLayer {
  readonly component: AdapterComponent
  /** diffusers' module path; a text encoder's may lack `text_model.`. */
  readonly path: string
  /** The shape of its weight: [out, in] or [out, in, kh, kw]. */
  readonly shape: Shape
}

/** What the two are called in errors. */
export interface MatchNames {
  readonly adapter: string
  readonly model: string
}

/** A module and the layer it adapts. */
export interface Match {
  readonly module: LoraModule
  readonly layer: AdaptableLayer
}

/**
 * Finds the layer of each module. A 1×1 convolution and a linear layer hold the same numbers, so either kind of module
 * fits either kind of layer; the module comes back in the shape of the layer.
 *
 * Throws `adapter.mismatch` for a module that the model lacks or has in another shape, naming both shapes, and the family
 * that the adapter was made for where it can be told.
 */
export function matchAdapter(adapter: Adapter, layers: readonly AdaptableLayer[], names: MatchNames): Match[] {
  const byKey = new Map(layers.map((layer) => [matchKey(layer), layer]))
  return adapter.modules.map((module) => {
    const layer = byKey.get(matchKey(module))
    const fitted = layer && fit(module, layer.shape)
    if (fitted) return { module: fitted, layer }
    throw mismatch(adapter, layers, names, module, layer)
  })
}

function matchKey({ component, path }: Pick<AdaptableLayer, 'component' | 'path'>): string {
  return moduleKey({ component, path: path.replace(/^text_model\./, '') })
}

function fit(module: LoraModule, shape: Shape): LoraModule | undefined {
  if (sameShape(weightShapeOf(module), shape)) return module
  if (!sameShape(withoutKernel(weightShapeOf(module)), withoutKernel(shape))) return undefined
  const kernel = shape.slice(2)
  return { ...module, down: reshaped(module.down, kernel), up: reshaped(module.up, kernel) }
}

/** [out, in] for a linear layer and for a 1×1 convolution; any other shape as it is. */
function withoutKernel(shape: Shape): Shape {
  return elementCount(shape.slice(2)) === 1 ? shape.slice(0, 2) : shape
}

function reshaped(tensor: FloatTensor, kernel: Shape): FloatTensor {
  return { ...tensor, shape: [...tensor.shape.slice(0, 2), ...kernel] }
}

function mismatch(
  adapter: Adapter,
  layers: readonly AdaptableLayer[],
  names: MatchNames,
  module: LoraModule,
  layer: AdaptableLayer | undefined,
): HalfstepError {
  const key = moduleKey(module)
  const shape = formatShape(weightShapeOf(module))
  const cause = layer
    ? `it adapts ${key} with shape ${shape}, where the model has ${formatShape(layer.shape)}`
    : `it adapts ${key} (${shape}), which the model does not have`
  return new HalfstepError(
    'adapter.mismatch',
    `${names.adapter} does not fit ${names.model}: ${cause}.`,
    hint(adapter, layers),
    { adapter: names.adapter, model: names.model, module: key, shape, ...(layer && { expected: formatShape(layer.shape) }) },
  )
}

function hint(adapter: Adapter, layers: readonly AdaptableLayer[]): string {
  const made = adapterFamily(adapter)
  const used = familyOf(layers.map(({ component, path, shape }) => ({ component, path, inputs: shape[1] ?? 0 })))
  if (made === undefined || made === used) return 'Use the adapter with the model it was made for.'
  return `The adapter was made for another family: use it with a ${FAMILY_NAMES[made]} model.`
}
