import { HalfstepError } from '../errors.ts'
import type { Scope, Value } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'
import { elementCount, formatShape } from '../tensor/shape.ts'

/** Which number of a model's output is the reward. */
export interface ScoreTarget {
  /** Name of the output; may be left out where the model has only one. */
  readonly output?: string | undefined
  /** Which number of those the output has for a picture, for a classifier the class; may be left out where there is only one. */
  readonly index?: number | undefined
  /** What is done to the numbers: `probability` is their softmax, `log-probability` its logarithm, `sigmoid` takes each by itself. */
  readonly transform?: 'none' | 'probability' | 'log-probability' | 'sigmoid' | undefined
}

/**
 * The score of each picture [n] from a model's output [n, …].
 * Throws `recipe.impossible`, naming the key, when the target does not fit the output.
 */
export function scoreOf(g: Scope, output: Value, target: ScoreTarget, batch: number, file: string): Value {
  const name = target.output ?? output.name
  const count = elementCount(output.shape) / batch
  if (!Number.isInteger(count) || (batch > 1 && output.shape[0] !== batch)) {
    const cause = `its output ${name} has the shape ${formatShape(output.shape)}, not a row for each of ${batch} pictures`
    throw impossible(file, cause, 'Choose another output, or compute one picture at a time (batch 1).')
  }
  const numbers = transformed(g, ops.cast(g, ops.reshape(g, output, [batch, count]), 'float32'), target.transform ?? 'none')
  if (count > 1 && target.index === undefined) {
    throw impossible(file, `its output ${name} has ${count} numbers per picture, and target.index does not say which`, 'Set target.index.')
  }
  const index = target.index ?? 0
  if (index >= count) {
    throw impossible(file, `target.index is ${index}, but its output ${name} has ${count} numbers per picture`, 'Set a smaller index.')
  }
  return ops.reshape(g, ops.slice(g, numbers, [1], [index], [index + 1]), [batch])
}

/** x [n, k] */
function transformed(g: Scope, x: Value, transform: NonNullable<ScoreTarget['transform']>): Value {
  switch (transform) {
    case 'none':
      return x
    case 'probability':
      return ops.softmax(g, x)
    case 'log-probability':
      return ops.logSoftmax(g, x)
    case 'sigmoid':
      return ops.sigmoid(g, x)
  }
}

/** The error for a model that cannot be used as it was asked for; `cause` completes "FILE cannot be a reward: …". */
export function impossible(file: string, cause: string, nextStep: string): HalfstepError {
  return new HalfstepError('recipe.impossible', `${file} cannot be a reward: ${cause}.`, nextStep, { file })
}
