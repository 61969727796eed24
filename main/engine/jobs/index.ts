import type { JobHandlers } from '../process/serve-jobs.ts'
import type { ENGINE_JOBS } from '../protocol.ts'

/** One handler per job of the protocol, loaded when it is first asked for. */
export const handlers: JobHandlers<typeof ENGINE_JOBS> = {
  'devices.probe': async () => (await import('./probe-device.ts')).probe,
  'model.inspect': async () => (await import('./inspect-model.ts')).inspect,
  'model.check': async () => (await import('./check-model.ts')).check,
  'model.tokenize': async () => (await import('./tokenize.ts')).tokenize,
  'model.bench': async () => (await import('./bench-model.ts')).bench,
  'model.generate': async () => (await import('./generate.ts')).generate,
  'adapter.inspect': async () => (await import('./inspect-adapter.ts')).inspect,
  'adapter.convert': async () => (await import('./convert-adapter.ts')).convert,
  'adapter.merge': async () => (await import('./merge-adapters.ts')).merge,
  'train.run': async () => (await import('./train-run.ts')).trainRun,
  'estimator.measure': async () => (await import('./measure-estimators.ts')).measure,
  'onnx.grad': async () => (await import('./differentiate-onnx.ts')).differentiate,
}
