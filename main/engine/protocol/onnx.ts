/** ONNX files of one's own. */
import { z } from 'zod'
import { Count, Path } from './fields.ts'
import type { JobSchemas } from './job-schema.ts'

/** An input or output of an ONNX model. */
export const TensorSignature = z.strictObject({ name: z.string(), dtype: z.string(), shape: z.array(Count).readonly() })
export type TensorSignature = z.infer<typeof TensorSignature>

export const ONNX_JOBS = {
  /** Writes an ONNX model with its gradient: the output `gradient.<x>` for every x of `wrt`. */
  'onnx.grad': {
    request: z.strictObject({
      path: Path,
      output: z.string(),
      wrt: z.array(z.string()).min(1),
      /** Sizes for axes that the model leaves open, by their names. */
      dimensions: z.record(z.string(), z.int().min(1)),
      out: Path,
    }),
    progress: z.never(),
    /** What the written model takes and gives. */
    result: z.strictObject({ inputs: z.array(TensorSignature), outputs: z.array(TensorSignature) }),
  },
} as const satisfies JobSchemas
