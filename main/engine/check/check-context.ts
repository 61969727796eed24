import type { Checkpoint, Component, Components } from '../../../native-models/checkpoint/checkpoint.ts'
import { assertFinite } from '../../../native-models/weights/finite.ts'
import { requireComponent, type ConfigOf } from '../pipeline/require-component.ts'
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

/** A component that the cases call for, its weights read through. Throws `model.missing-component` or `weights.not-finite`. */
export async function soundComponent<K extends keyof Components>({ checkpoint }: CheckContext, key: K): Promise<Component<ConfigOf<K>>> {
  const component = requireComponent(checkpoint, key)
  await assertFinite(component.weights)
  return component
}
