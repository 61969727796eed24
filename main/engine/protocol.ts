/**
 * What the host and the engine's own process say to each other: every job once, with the schemas of what it takes, reports and
 * gives, which `protocol/` has area by area, and the messages that carry them. Schemas and types only, so that services can import
 * it without the engine.
 *
 * To add a job: one entry in the table of its area, and one handler file in `jobs/` with its line in `jobs/index.ts` (which does not
 * compile without it). Payloads travel by structured clone, so tensors go as typed arrays, never as lists of numbers.
 */
import { ADAPTER_JOBS } from './protocol/adapters.ts'
import { BENCH_JOBS } from './protocol/bench.ts'
import { DATASET_JOBS } from './protocol/datasets.ts'
import { DEVICE_JOBS } from './protocol/devices.ts'
import { ESTIMATOR_JOBS } from './protocol/estimators.ts'
import { EVALUATION_JOBS } from './protocol/evaluation.ts'
import type { JobSchemas, JobsOf } from './protocol/job-schema.ts'
import { MODEL_JOBS } from './protocol/models.ts'
import { ONNX_JOBS } from './protocol/onnx.ts'
import { PICTURE_JOBS } from './protocol/pictures.ts'
import { REWARD_JOBS } from './protocol/rewards.ts'
import { TEMPLATE_JOBS } from './protocol/templates.ts'
import { TRAINING_JOBS } from './protocol/training.ts'

export * from './protocol/adapters.ts'
export * from './protocol/bench.ts'
export * from './protocol/datasets.ts'
export * from './protocol/devices.ts'
export * from './protocol/estimators.ts'
export * from './protocol/evaluation.ts'
export type * from './protocol/job-schema.ts'
export * from './protocol/messages.ts'
export * from './protocol/models.ts'
export * from './protocol/onnx.ts'
export * from './protocol/pictures.ts'
export * from './protocol/rewards.ts'
export * from './protocol/templates.ts'
export * from './protocol/training.ts'

/** Everything the engine's process does when asked. */
export const ENGINE_JOBS = {
  ...DEVICE_JOBS,
  ...MODEL_JOBS,
  ...BENCH_JOBS,
  ...PICTURE_JOBS,
  ...ADAPTER_JOBS,
  ...ONNX_JOBS,
  ...TEMPLATE_JOBS,
  ...REWARD_JOBS,
  ...DATASET_JOBS,
  ...TRAINING_JOBS,
  ...ESTIMATOR_JOBS,
  ...EVALUATION_JOBS,
} as const satisfies JobSchemas

export type EngineJobs = JobsOf<typeof ENGINE_JOBS>
export type JobName = keyof EngineJobs
