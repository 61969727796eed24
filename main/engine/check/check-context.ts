import type { Checkpoint, Component, Components } from '../../../native-models/checkpoint/checkpoint.ts'
import { assertFinite } from '../../../native-models/weights/finite.ts'
import { HalfstepError } from '../errors.ts'
import type { Device } from '../protocol.ts'
import type { ComputeType } from '../../../native-models/module.ts'
import type { Cases } from './cases.ts'
import type { UnetEvaluators } from './unet-evaluator.ts'

export interface CheckSettings {
  readonly device: Device
  readonly compute: ComputeType
  /** Most elements of one attention score tensor. */
  readonly maxScoreElements: number
}

/** What the groups of one check share. */
export interface CheckContext {
  readonly checkpoint: Checkpoint
  readonly cases: Cases
  readonly settings: CheckSettings
  readonly evaluators: UnetEvaluators
  /** Whether this output is to be computed (`--only`). */
  wants(output: string): boolean
}

type ConfigOf<K extends keyof Components> = NonNullable<Components[K]> extends Component<infer C> ? C : never

/** A component that the cases call for, its weights read through once. Throws `model.missing-component` or `weights.not-finite`. */
export async function requireComponent<K extends keyof Components>({ checkpoint }: CheckContext, key: K): Promise<Component<ConfigOf<K>>> {
  const component = checkpoint.components[key]
  if (component === undefined) {
    throw new HalfstepError(
      'model.missing-component',
      `${checkpoint.path} has no ${NAMES[key]}, which these cases call for.`,
      'Use cases made from this model.',
    )
  }
  await assertFinite(component.weights)
  return component as Component<ConfigOf<K>>
}

const NAMES: Readonly<Record<keyof Components, string>> = {
  unet: 'UNet',
  textEncoder: 'text encoder',
  textEncoder2: 'second text encoder',
  vae: 'VAE',
  imageEncoder: 'image encoder',
}
