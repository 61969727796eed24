import { randomInt } from 'node:crypto'
import { Option } from 'commander'
import { HalfstepError } from '../engine/errors.ts'
import { Precision, SamplerName, type Device, type EngineJobs } from '../engine/protocol.ts'
import type { WeightedPath } from './arguments.ts'
import { chooseDevice, choosePrecision } from './choose-device.ts'
import type { CommonOptions, Workbench } from './invocation.ts'

/** What every command that draws pictures lets one choose. */
export interface DrawingOptions extends CommonOptions {
  readonly model: string
  readonly negative?: string
  readonly adapter?: WeightedPath[]
  readonly template?: string
  readonly slot?: Readonly<Record<string, string>>
  readonly seed?: number
  readonly sampler: SamplerName
  readonly guidance: number
  readonly device?: Device
  readonly precision?: Precision
  readonly out: string
}

/** The part of a request that all of them have. */
type DrawingRequest = Pick<
  EngineJobs['model.generate']['request'],
  'model' | 'negative' | 'adapters' | 'template' | 'seed' | 'sampler' | 'guidance' | 'device' | 'precision' | 'out'
>

export function samplerOption(usual: SamplerName): Option {
  return new Option('--sampler <sampler>', 'how to go from noise to picture').choices(SamplerName.options).default(usual)
}

export function precisionOption(): Option {
  return new Option('--precision <type>', 'what to compute in; by default float16 where the device has it').choices(Precision.options)
}

/** Throws `usage` for slots without a template, and as `chooseDevice` and `choosePrecision` do. */
export function drawingRequest(options: DrawingOptions, bench: Workbench): DrawingRequest {
  const { model, negative, adapter, template, slot, seed, sampler, guidance, out } = options
  if (slot !== undefined && template === undefined) {
    throw new HalfstepError('usage', 'Slots belong to a template, and none is given.', 'Add --template, or leave --slot away.')
  }
  const device = chooseDevice(options.device, bench)
  return {
    model,
    adapters: adapter ?? [],
    seed: seed ?? randomInt(2 ** 32),
    sampler,
    guidance,
    device,
    precision: choosePrecision(options.precision, device, bench),
    out,
    ...(negative === undefined ? {} : { negative }),
    ...(template === undefined ? {} : { template: { source: template, slots: slot ?? {} } }),
  }
}

/** Ends a command that drew: what is worth knowing, the seed if it was drawn by lot, and the document. */
export function reportDrawn(
  { pictures, notes }: EngineJobs['model.generate']['result'],
  { seed: given }: DrawingOptions,
  { seed }: DrawingRequest,
  { terminal }: Workbench,
): void {
  for (const note of notes) terminal.note(note)
  if (given === undefined) terminal.note(`The seed was ${seed}; --seed ${seed} gives the same again.`)
  terminal.document({ pictures, notes })
}
