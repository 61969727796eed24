import type { Checkpoint, Component, Components } from '../../../native-models/checkpoint/checkpoint.ts'
import { HalfstepError } from '../errors.ts'

const NAMES: Readonly<Record<keyof Components, string>> = {
  unet: 'UNet',
  textEncoder: 'text encoder',
  textEncoder2: 'second text encoder',
  vae: 'VAE',
  imageEncoder: 'image encoder',
}

/** The config of a component. */
export type ConfigOf<K extends keyof Components> = NonNullable<Components[K]> extends Component<infer Config> ? Config : never

/** A network that a checkpoint must have. Throws `model.missing-component`. */
export function requireComponent<K extends keyof Components>(checkpoint: Checkpoint, key: K): Component<ConfigOf<K>> {
  const component = checkpoint.components[key] as Component<ConfigOf<K>> | undefined
  if (component !== undefined) return component
  const message = `${checkpoint.path} has no ${NAMES[key]}.`
  throw new HalfstepError('model.missing-component', message, 'Use a complete model.', { file: checkpoint.path, component: key })
}
