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
  'model.repair': async () => (await import('./repair.ts')).repair,
  'picture.detect': async () => (await import('./detect.ts')).detect,
  'pictures.judge': async () => (await import('./judge-pictures.ts')).judge,
  'adapter.inspect': async () => (await import('./inspect-adapter.ts')).inspect,
  'adapter.convert': async () => (await import('./convert-adapter.ts')).convert,
  'adapter.merge': async () => (await import('./merge-adapters.ts')).merge,
  'template.builtIn': async () => (await import('./templates.ts')).builtIn,
  'template.check': async () => (await import('./templates.ts')).check,
  'reward.check': async () => (await import('./check-reward.ts')).checkReward,
  'reward.test': async () => (await import('./test-reward.ts')).testReward,
  'taste.train': async () => (await import('./train-taste.ts')).trainTaste,
  'template.preview': async () => (await import('./preview-template.ts')).preview,
  'dataset.buckets': async () => (await import('./plan-buckets.ts')).planBuckets,
  'recipe.check': async () => (await import('./check-recipe.ts')).checkRecipe,
  'train.estimate': async () => (await import('./estimate-run.ts')).estimateRun,
  'train.run': async () => (await import('./train-run.ts')).trainRun,
  'estimator.measure': async () => (await import('./measure-estimators.ts')).measure,
  'starter.evaluate': async () => (await import('./evaluate-starter.ts')).evaluate,
  'onnx.grad': async () => (await import('./differentiate-onnx.ts')).differentiate,
}
