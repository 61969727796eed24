/**
 * What the host and the engine's own process say to each other: every job once, with the schemas of what it takes, reports and
 * gives, and the messages that carry them. Schemas and types only, so that services can import it without the engine.
 *
 * To add a job: one entry in ENGINE_JOBS here, and one handler file in `jobs/` with its line in `jobs/index.ts` (which does not
 * compile without it). Payloads travel by structured clone, so tensors go as typed arrays, never as lists of numbers.
 */
import { z } from 'zod'
import type { ErrorValue } from './errors.ts'

/** ONNX Runtime's execution providers, in the order in which they are preferred. */
export const DEVICES = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const

export const Device = z.enum(DEVICES)
export type Device = z.infer<typeof Device>

/** A device's name in a sentence. */
export const DEVICE_LABELS: Readonly<Record<Device, string>> = {
  cuda: 'CUDA',
  dml: 'DirectML',
  coreml: 'Core ML',
  webgpu: 'WebGPU',
  cpu: 'the CPU',
}

/** What a probe of one device found, by really computing on it. */
export const DeviceRecord = z.strictObject({
  device: Device,
  available: z.boolean(),
  /** Why the device cannot be used, as one sentence; null when it can. */
  reason: z.string().nullable(),
  /** The runtime's own words behind `reason`, for a bug report; null when there are none. */
  detail: z.string().nullable(),
  /** The GPU's or processor's name; null when the system does not tell. */
  name: z.string().nullable(),
  /** Whether it computes in half precision. Always false on the CPU, which widens float16 to float32. */
  float16: z.boolean(),
  /** Whether ConvTranspose equals the Conv with flipped weights; `wrong` makes graphs use the latter. */
  convTranspose: z.enum(['correct', 'wrong', 'untested']),
  /** All memory that models could use, in bytes; null when the device does not tell. */
  memoryBytes: z.number().nonnegative().nullable(),
  /** Measured on a chain of matrix products, in floating point operations per second; null when it could not be measured. */
  speed: z.number().nonnegative().nullable(),
  onnxruntimeVersion: z.string(),
  /** ISO 8601. */
  probedAt: z.iso.datetime(),
})
export type DeviceRecord = z.infer<typeof DeviceRecord>

/** The steps of a probe, in order; the last one reported tells where a crash happened. */
export const ProbeStep = z.enum(['start', 'matMul', 'conv', 'branch', 'convTranspose', 'float16', 'speed'])
export type ProbeStep = z.infer<typeof ProbeStep>

/** The schemas of one job. */
export interface JobSchema {
  readonly request: z.ZodType
  readonly progress: z.ZodType
  readonly result: z.ZodType
}
export type JobSchemas = Readonly<Record<string, JobSchema>>

/** Everything the engine's process does when asked. */
export const ENGINE_JOBS = {
  /** Probes one device in this process, which a bad driver may take down: see `probeDevices` for all of them. */
  'devices.probe': {
    request: z.strictObject({ device: Device }),
    progress: z.strictObject({ step: ProbeStep }),
    result: DeviceRecord,
  },
} as const satisfies JobSchemas

/** Request, progress and result of each job of a table. */
export type JobsOf<J extends JobSchemas> = {
  readonly [N in keyof J]: {
    readonly request: z.output<J[N]['request']>
    readonly progress: z.output<J[N]['progress']>
    readonly result: z.output<J[N]['result']>
  }
}
export type EngineJobs = JobsOf<typeof ENGINE_JOBS>
export type JobName = keyof EngineJobs

const JobId = z.int().nonnegative()

/** The message from the host to the engine. There is none to cancel a job: a run blocks its thread, so the process is killed. */
export const ToEngine = z.strictObject({ type: z.literal('request'), id: JobId, job: z.string(), request: z.unknown() })
export type ToEngine = z.infer<typeof ToEngine>

/** The messages from the engine to the host. */
export const FromEngine = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('progress'), id: JobId, progress: z.unknown() }),
  z.strictObject({ type: z.literal('result'), id: JobId, result: z.unknown() }),
  /** With an id, that job failed; without, a message could not be read or the process is about to end. */
  z.strictObject({ type: z.literal('error'), id: JobId.nullable(), error: z.custom<ErrorValue>(isErrorValue) }),
  z.strictObject({ type: z.literal('log'), text: z.string() }),
])
export type FromEngine = z.infer<typeof FromEngine>

const ErrorFields = z.strictObject({
  code: z.string(),
  message: z.string(),
  nextStep: z.string(),
  details: z.record(z.string(), z.unknown()),
})

function isErrorValue(value: unknown): value is ErrorValue {
  return ErrorFields.safeParse(value).success
}
