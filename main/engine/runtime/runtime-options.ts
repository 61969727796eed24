import os from 'node:os'
import type { InferenceSession } from 'onnxruntime-node'
import type { WrittenModel } from '../graph/onnx/write.ts'
import type { Device } from '../protocol.ts'

/** How a graph is to be run. */
export interface RuntimeSettings {
  readonly device: Device
  /** CPU threads; all of them by default. */
  readonly threads?: number
  /** Folder to write a profile into, for `bench --profile`. */
  readonly profileFolder?: string
  /**
   * Whether the CPU holds copies of the weights in the layouts it likes best, or computes with them as they lie in their file. By
   * default copies are for networks whose weights take up to `SMALL_WEIGHTS` bytes.
   */
  readonly weights?: 'copied' | 'mapped'
}

/**
 * Weights of networks whose copies cost next to nothing. The starter's UNet, a batch of 32, took 0.81 of the time with them forwards
 * and 0.84 with its gradient on one thread, 0.70 and 0.86 on two (`npm run bench:small`). A UNet of gigabytes would be in memory twice.
 */
export const SMALL_WEIGHTS = 64 * 2 ** 20

/** The runtime's settings, as engine.md's measurements led to them. */
export function runtimeOptions(
  settings: RuntimeSettings,
  { weightsFolder, weightBytes }: Pick<WrittenModel, 'weightsFolder' | 'weightBytes'>,
): InferenceSession.SessionOptions {
  const { device, threads, profileFolder } = settings
  const mapped = device === 'cpu' && (settings.weights ?? weightsBySize(weightBytes)) === 'mapped'
  return {
    executionProviders: [device],
    // `extended` stops before the blocked layout, which copies every convolution weight.
    graphOptimizationLevel: mapped ? 'extended' : 'all',
    // With the arena, memory patterns double the second run's memory.
    enableMemPattern: false,
    intraOpNumThreads: threads ?? os.availableParallelism(),
    logSeverityLevel: 3,
    ...(profileFolder === undefined ? {} : { enableProfiling: true, profileFilePrefix: `${profileFolder}/profile` }),
    extra: {
      session: {
        ...(weightsFolder === undefined ? {} : { model_external_initializers_file_folder_path: weightsFolder }),
        // Threads that wait in a busy loop for the session's next run take the cores from another session's run.
        ...(device === 'cpu' ? { force_spinning_stop: '1' } : {}),
        // Prepacking keeps a second copy of each weight.
        ...(mapped ? { disable_prepacking: '1' } : {}),
      },
      // Folding would store widened copies of float16 weights; widening them in every run costs 13 % of a forward pass.
      ...(mapped ? { optimization: { disable_specified_optimizers: 'ConstantFolding' } } : {}),
    },
  }
}

/** A graph that maps no weights is fed them, as in training them: there is nothing to copy once and for all. */
function weightsBySize(weightBytes: number): 'copied' | 'mapped' {
  return weightBytes > 0 && weightBytes <= SMALL_WEIGHTS ? 'copied' : 'mapped'
}
