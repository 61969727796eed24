import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { HalfstepError } from '../engine/errors.ts'

/**
 * Makes sure that writing `out` destroys nothing unasked: never one of the inputs (however its path is spelled), and an
 * existing file only with `force`. Throws `usage` or `file.exists`.
 */
export function refuseToOverwrite(out: string, inputs: readonly string[], force: boolean): void {
  const input = inputs.find((path) => isSameFile(path, out))
  if (input !== undefined) {
    const message = `The output ${out} is the same file as the input ${input}.`
    throw new HalfstepError('usage', message, 'Choose another name for the output.', { path: out })
  }
  if (force || statSync(out, { throwIfNoEntry: false }) === undefined) return
  const nextStep = 'Choose another name, or replace it with --force.'
  throw new HalfstepError('file.exists', `${out} exists already and is left as it is.`, nextStep, { path: out })
}

function isSameFile(a: string, b: string): boolean {
  const [left, right] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }))
  if (left === undefined || right === undefined) return resolve(a) === resolve(b)
  return left.dev === right.dev && left.ino === right.ino
}
