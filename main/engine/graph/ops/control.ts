import { shapeError, type Region, type Scope, type Value } from '../graph.ts'

/**
 * Runs one of two regions. The branches need not agree in shape (an idle branch may yield empty tensors); the values have the
 * types of the `then` branch.
 */
export function branch(g: Scope, condition: Value, then: Region, otherwise: Region): readonly Value[] {
  if (condition.dtype !== 'bool' || then.results.length !== otherwise.results.length)
    throw shapeError(g, 'If', [condition], 'both branches must yield the same number of values')
  return g.emit('If', [condition], { then, else: otherwise }, then.results)
}
