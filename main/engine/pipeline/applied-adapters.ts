import { strengthInput, type AdapterSlot, type AdapterTarget } from '../../../native-models/adapter-slot.ts'
import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { allEntries } from '../../../native-models/weights/weight-source.ts'
import { HalfstepError } from '../errors.ts'
import { rankOf, type Adapter, type AdapterComponent, type LoraModule } from '../adapters/lora.ts'
import { matchAdapter, type AdaptableLayer } from '../adapters/match.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'

/** An adapter that is applied as it is. */
export interface AppliedAdapter {
  readonly adapter: Adapter
  /** Factor of its change; may be negative. */
  readonly strength: number
  /** Names it in errors: its file. */
  readonly name?: string
}

const COMPONENTS: readonly AdapterComponent[] = ['unet', 'textEncoder', 'textEncoder2']

/** Adapters at work in the networks of a checkpoint. */
export class AppliedAdapters {
  readonly #applied: readonly { readonly modules: ReadonlyMap<string, LoraModule>; readonly strength: number; readonly name: string }[]

  /** Throws `adapter.mismatch` when an adapter does not fit the checkpoint. */
  constructor(checkpoint: Checkpoint, adapters: readonly AppliedAdapter[]) {
    const layers = adapters.length === 0 ? [] : adaptableLayers(checkpoint)
    this.#applied = adapters.map(({ adapter, strength, name = 'The adapter' }) => {
      const matches = matchAdapter(adapter, layers, { adapter: name, model: checkpoint.path })
      return { modules: new Map(matches.map(({ module, layer }) => [keyOf(layer.component, layer.path), module])), strength, name }
    })
  }

  /** The slots to build into a network. */
  slots(component: AdapterComponent): AdapterSlot[] {
    return this.#applied.map(({ modules }, i) => ({
      name: slotName(i),
      target: (path) => {
        const module = modules.get(keyOf(component, path))
        return module && { rank: rankOf(module), alpha: module.alpha }
      },
    }))
  }

  /**
   * The feeds of a network that was built with the slots. Throws `adapter.mismatch` for modules on layers that the network has no
   * place for an adapter at (a token embedding, say).
   */
  feeds(component: AdapterComponent, targets: readonly AdapterTarget[]): Record<string, FloatTensor> {
    const feeds: Record<string, FloatTensor> = {}
    this.#applied.forEach(({ modules, strength, name }, i) => {
      const unused = new Set([...modules.keys()].filter((key) => key.startsWith(`${component}.`)))
      for (const { slot, path, down, up } of targets) {
        const key = keyOf(component, path)
        const module = modules.get(key)
        if (slot !== slotName(i) || module === undefined) continue
        unused.delete(key)
        // A 1×1 convolution and a linear layer hold the same numbers.
        feeds[down.input] = float32(down.shape, module.down.data)
        feeds[up.input] = float32(up.shape, module.up.data)
        feeds[strengthInput(slot)] = float32([], [strength])
      }
      const [lost] = unused
      if (lost === undefined) return
      const message = `${name} adapts ${lost}, a layer that adapters cannot be applied to here.`
      throw new HalfstepError('adapter.mismatch', message, 'Train the adapter without this layer.', { adapter: name, module: lost })
    })
    return feeds
  }
}

/** Every weight of a shape that a layer can have. */
function adaptableLayers({ components }: Checkpoint): AdaptableLayer[] {
  return COMPONENTS.flatMap((component) => {
    const weights = components[component]?.weights
    if (weights === undefined) return []
    return allEntries(weights).flatMap(({ name, shape }) => {
      const path = /^(.+)\.weight$/.exec(name)?.[1]
      return path === undefined || (shape.length !== 2 && shape.length !== 4) ? [] : [{ component, path, shape }]
    })
  })
}

function keyOf(component: AdapterComponent, path: string): string {
  return `${component}.${path}`
}

function slotName(index: number): string {
  return `applied${index}`
}
