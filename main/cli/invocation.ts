import { HalfstepError } from '../engine/errors.ts'
import { EngineClient } from '../engine/process/engine-client.ts'
import type { ProcessLauncher } from '../engine/process/launcher.ts'
import { ENGINE_JOBS, type EngineJobs, type JobName } from '../engine/protocol.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { Terminal, type TextStream } from './terminal.ts'

/** What a run of the command line touches besides files. */
export interface Surroundings {
  readonly out: TextStream
  readonly err: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Starts the engine's process. */
  readonly launch: ProcessLauncher
}

/** The options every command has. */
export interface CommonOptions {
  readonly json?: true
  readonly verbose?: true
}

/** What a command works with. */
export interface Workbench {
  readonly terminal: Terminal
  readonly launch: ProcessLauncher
  /** Aborted by Ctrl+C. */
  readonly signal: AbortSignal
  /** Runs one job in the engine's process, which Ctrl+C ends. `onStart` hands over the way to send it commands. */
  engine<N extends JobName>(
    job: N,
    request: EngineJobs[N]['request'],
    onProgress?: (progress: EngineJobs[N]['progress']) => void,
    onStart?: (send: (command: EngineJobs[N]['command']) => void) => void,
  ): Promise<EngineJobs[N]['result']>
  /** Does this at the first Ctrl+C instead of ending the job; the second one ends it. Without a handler, the first does again. */
  onFirstInterrupt(handler: (() => void) | undefined): void
}

/** One run of the command line: carries out a command and keeps the exit code it came to. */
export class Invocation {
  exitCode: ExitCode = EXIT.ok
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** Does a command's work, reports what it throws, and leaves no process behind. */
  async run(options: CommonOptions, work: (bench: Workbench) => Promise<ExitCode>): Promise<void> {
    const { launch } = this.#surroundings
    const terminal = new Terminal({ ...this.#surroundings, json: options.json ?? false, verbose: options.verbose ?? false })
    const client = new EngineClient(ENGINE_JOBS, launch, { onLog: (text) => terminal.log(text) })
    const interrupt = new AbortController()
    let first: (() => void) | undefined
    const onInterrupt = () => {
      const gentle = first
      first = undefined
      if (gentle !== undefined) return gentle()
      interrupt.abort()
      // One more Ctrl+C ends this process as well, whatever it is waiting for.
      process.removeListener('SIGINT', onInterrupt)
    }
    process.on('SIGINT', onInterrupt)
    const { signal } = interrupt
    try {
      this.exitCode = await work({
        terminal,
        launch,
        signal,
        engine: (job, request, onProgress, onStart) =>
          client.run(job, request, {
            signal,
            ...(onProgress === undefined ? {} : { onProgress }),
            ...(onStart === undefined ? {} : { onStart }),
          }),
        onFirstInterrupt: (handler) => {
          first = handler
        },
      })
    } catch (error) {
      const code = terminal.fail(signal.aborted ? new HalfstepError('cancelled', 'Interrupted.') : error)
      this.exitCode = signal.aborted ? EXIT.interrupted : code
    } finally {
      process.removeListener('SIGINT', onInterrupt)
      await client.dispose()
    }
  }
}
