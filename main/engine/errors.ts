/**
 * Errors as values: a code a program can switch on, a sentence a person can read, and what to do next.
 * They cross process borders as plain objects (`toValue`, `fromValue`).
 */

/** Everything that can go wrong and that a caller may want to tell apart. The part before the dot is the area. */
export type ErrorCode =
  | 'file.missing'
  | 'file.exists'
  | 'file.unreadable'
  | 'file.unwritable'
  | 'weights.malformed'
  | 'weights.missing-tensor'
  | 'weights.wrong-shape'
  | 'weights.wrong-type'
  | 'weights.not-finite'
  | 'weights.pickled'
  | 'config.malformed'
  | 'config.unsupported'
  | 'model.unknown-family'
  | 'model.missing-component'
  | 'adapter.malformed'
  | 'adapter.unsupported'
  | 'adapter.mismatch'
  | 'tokenizer.malformed'
  | 'onnx.malformed'
  | 'onnx.unsupported-operator'
  | 'graph.shape'
  | 'graph.not-differentiable'
  | 'device.unavailable'
  | 'device.failed'
  | 'device.memory'
  | 'cases.malformed'
  | 'engine.stopped'
  | 'store.newer'
  | 'store.unreadable'
  | 'store.locked'
  | 'library.missing'
  | 'library.in-use'
  | 'library.damaged'
  | 'call.invalid'
  | 'host.port'
  | 'host.closed'
  | 'cancelled'
  | 'picture.malformed'
  | 'latents.malformed'
  | 'template.malformed'
  | 'taste.too-few'
  | 'recipe.malformed'
  | 'recipe.impossible'
  | 'run.damaged'
  | 'run.in-use'
  | 'usage'
  | 'internal'

/** The serialisable form of a {@link HalfstepError}: what an IPC message or `--json` output carries. */
export interface ErrorValue {
  readonly code: ErrorCode
  /** One plain sentence that names the file (and tensor, key, …) and the cause. */
  readonly message: string
  /** What the person can do about it, as one sentence; empty when there is nothing to do. */
  readonly nextStep: string
  /** Paths, keys and figures for programs; never needed to understand the message. */
  readonly details: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** An error that was foreseen. Anything else that is thrown is a defect and is reported as `internal`. */
export class HalfstepError extends Error {
  readonly code: ErrorCode
  readonly nextStep: string
  readonly details: ErrorValue['details']

  constructor(code: ErrorCode, message: string, nextStep = '', details: ErrorValue['details'] = {}) {
    super(message)
    this.name = 'HalfstepError'
    this.code = code
    this.nextStep = nextStep
    this.details = details
  }

  toValue(): ErrorValue {
    return { code: this.code, message: this.message, nextStep: this.nextStep, details: this.details }
  }

  static fromValue(value: ErrorValue): HalfstepError {
    return new HalfstepError(value.code, value.message, value.nextStep, value.details)
  }
}

/** Any thrown value as an {@link ErrorValue}, so that nothing crosses a border untyped. */
export function toErrorValue(thrown: unknown): ErrorValue {
  if (thrown instanceof HalfstepError) return thrown.toValue()
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return {
    code: 'internal',
    message,
    nextStep: 'This is a defect in Halfstep; please report it with the steps that led here.',
    details: {},
  }
}
