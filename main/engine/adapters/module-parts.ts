/** Gathers the tensors of a file into modules: a down and an up weight each, and perhaps an alpha. */
import { HalfstepError } from '../errors.ts'
import { isFloat } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/shape.ts'
import { toFloat32, type FloatTensor, type Tensor } from '../tensor/tensor.ts'
import { checkModule, moduleKey, rankOf, type AdapterComponent, type LoraModule } from './lora.ts'

export type Part = 'down' | 'up' | 'alpha'

/** Where a tensor of a file belongs. */
export interface PartName {
  readonly component: AdapterComponent
  readonly path: string
  readonly part: Part
}

interface Parts {
  readonly component: AdapterComponent
  readonly path: string
  readonly tensors: Map<Part, { readonly key: string; readonly tensor: FloatTensor }>
}

/** alpha of a module for which the file holds no alpha tensor. */
export type AlphaRule = (module: Pick<LoraModule, 'component' | 'path'>, rank: number) => number

/**
 * The modules of a file, in the order of a model's listing (component, then path with numbers counted as numbers).
 * `nameOf` says where a tensor belongs and throws for one it does not know. Throws `adapter.malformed`, naming file and
 * key, for doubles, halves, integers, and factors that do not fit.
 */
export function assembleModules(
  source: string,
  tensors: Iterable<readonly [key: string, tensor: Tensor]>,
  nameOf: (key: string) => PartName,
  alphaRule: AlphaRule,
): LoraModule[] {
  const modules = new Map<string, Parts>()
  for (const [key, tensor] of tensors) {
    const { component, path, part } = nameOf(key)
    const parts: Parts = modules.get(moduleKey({ component, path })) ?? { component, path, tensors: new Map() }
    const earlier = parts.tensors.get(part)
    if (earlier) throw malformed(source, key, `it says the same as ${earlier.key}`)
    if (!isFloat(tensor.dtype)) throw malformed(source, key, `it is stored as ${tensor.dtype}`)
    parts.tensors.set(part, { key, tensor: toFloat32(tensor) })
    modules.set(moduleKey(parts), parts)
  }
  return [...modules.values()].map((parts) => complete(source, parts, alphaRule)).sort(inModelOrder)
}

function complete(source: string, { component, path, tensors }: Parts, alphaRule: AlphaRule): LoraModule {
  const down = tensors.get('down')
  const up = tensors.get('up')
  const stored = tensors.get('alpha')
  if (!down || !up) {
    const present = down ?? up ?? stored
    throw malformed(source, present?.key ?? path, `the ${down ? 'up' : 'down'} weight that belongs to it is missing`)
  }
  if (stored && elementCount(stored.tensor.shape) !== 1) throw malformed(source, stored.key, 'an alpha is a single number')
  const module = { component, path, down: down.tensor, up: up.tensor, alpha: 0 }
  const complete = { ...module, alpha: stored?.tensor.data[0] ?? alphaRule(module, rankOf(module)) }
  checkModule(complete, source)
  return complete
}

const NATURAL = new Intl.Collator('en', { numeric: true })
const COMPONENT_ORDER: readonly AdapterComponent[] = ['unet', 'textEncoder', 'textEncoder2']

function inModelOrder(a: LoraModule, b: LoraModule): number {
  return COMPONENT_ORDER.indexOf(a.component) - COMPONENT_ORDER.indexOf(b.component) || NATURAL.compare(a.path, b.path)
}

/** The refusal of one tensor of an adapter file. */
export function malformed(source: string, key: string, cause: string): HalfstepError {
  return new HalfstepError(
    'adapter.malformed',
    `${source} holds a tensor ${key} that does not belong in a LoRA: ${cause}.`,
    'Export the adapter again with the tool that made it.',
    { file: source, key },
  )
}
