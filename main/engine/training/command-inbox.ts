import type { TrainingCommand } from '../protocol.ts'

/** Commands on their way to a run, which takes them between updates. */
export class CommandInbox {
  readonly #waiting: TrainingCommand[] = []
  #wake: ((command: TrainingCommand) => void) | undefined

  push(command: TrainingCommand): void {
    const wake = this.#wake
    this.#wake = undefined
    if (wake === undefined) this.#waiting.push(command)
    else wake(command)
  }

  /** The next command that is there already. */
  take(): TrainingCommand | undefined {
    return this.#waiting.shift()
  }

  /** The next command, waited for. */
  next(): Promise<TrainingCommand> {
    const command = this.take()
    return command === undefined ? new Promise((resolve) => (this.#wake = resolve)) : Promise.resolve(command)
  }
}
