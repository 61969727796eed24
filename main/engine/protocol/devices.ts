/** What the engine can compute on. */
import { z } from 'zod'
import type { JobSchemas } from './job-schema.ts'

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

/** The element type that networks compute in; weights of another type are cast on their way in. */
export const Precision = z.enum(['float32', 'float16'])
export type Precision = z.infer<typeof Precision>

export const DEVICE_JOBS = {
  /** Probes one device in this process, which a bad driver may take down: see `probeDevices` for all of them. */
  'devices.probe': {
    request: z.strictObject({ device: Device }),
    progress: z.strictObject({ step: ProbeStep }),
    result: DeviceRecord,
  },
} as const satisfies JobSchemas
