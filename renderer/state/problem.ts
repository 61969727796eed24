/** What went wrong, in the words of the error it came from. */
export interface Problem {
  readonly message: string
  /** What the person can do; empty when there is nothing to do. */
  readonly nextStep: string
}
