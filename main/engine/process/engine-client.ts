import type { z } from 'zod'
import { type ErrorValue, HalfstepError } from '../errors.ts'
import { FromEngine, type JobSchemas, type JobsOf, type ToEngine } from '../protocol.ts'
import type { EngineProcess, ProcessEnd, ProcessLauncher } from './launcher.ts'

export interface RunOptions<Progress, Command = never> {
  /** Cancelling kills the process; the promise then fails with `cancelled`, and later jobs get a fresh process. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** Called when the job's turn has come, with the way to tell it something. Commands after its end are lost. */
  readonly onStart?: (send: (command: Command) => void) => void
}

export interface ClientOptions {
  /** Lines the engine logs and whatever libraries print. */
  readonly onLog?: (text: string) => void
}

/** A job that waits or runs. */
interface Task {
  readonly id: number
  readonly job: string
  readonly request: unknown
  readonly onStart: () => void
  readonly onProgress: (progress: unknown) => void
  readonly onResult: (result: unknown) => void
  readonly onError: (error: HalfstepError) => void
}

/** A process under watch. */
interface Watched {
  readonly process: EngineProcess
  readonly watch: NodeJS.Timeout
  /** Checks since the last sign of life. */
  silentChecks: number
  /** The end of what it printed, for the error should it stop. */
  output: string
  /** What it said itself before it ended. */
  lastWords: ErrorValue | undefined
  /** Why we are ending it; undefined when it ends by itself. */
  verdict: HalfstepError | undefined
}

const CHECK_INTERVAL_MS = 1000
/**
 * A process is stopped or gone when this many checks in a row saw no heartbeat. Checks are counted instead of time, so that a
 * computer that slept, or a host that was busy itself, does not accuse the engine. 8 checks leave room to act within 10 s.
 */
const SILENT_CHECKS = 8
/** The first heartbeat comes only once Node has started, which takes long on a cold disk. */
const SILENT_CHECKS_AT_START = 30
/** A process that a driver holds in the kernel cannot even be killed: after this long it is left to itself. */
const KILL_PATIENCE_MS = 5000
const OUTPUT_KEPT = 2000

/**
 * The host's side of the engine: starts its process when the first job comes, runs jobs one at a time in the order they came,
 * and replaces the process when it ends, whether by cancelling, a crash or a hang. No state lives in the process, so none is
 * lost. Call `dispose` when done: a running process keeps the host alive.
 */
export class EngineClient<J extends JobSchemas> {
  readonly #schemas: J
  readonly #launch: ProcessLauncher
  readonly #onLog: (text: string) => void
  readonly #waiting: Task[] = []
  #running: Task | undefined
  #engine: Watched | undefined
  #nextId = 0
  #disposed: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor(schemas: J, launch: ProcessLauncher, options: ClientOptions = {}) {
    this.#schemas = schemas
    this.#launch = launch
    this.#onLog = options.onLog ?? (() => undefined)
  }

  /**
   * Runs one job. Fails with `call.invalid` when the request does not fit, `cancelled` when the signal says so, `engine.stopped`
   * when the process ended or no longer answers, and with whatever error the job itself reports.
   */
  run<N extends keyof J & string>(
    job: N,
    request: JobsOf<J>[N]['request'],
    options: RunOptions<JobsOf<J>[N]['progress'], JobsOf<J>[N]['command']> = {},
  ): Promise<JobsOf<J>[N]['result']> {
    const schema = Object.hasOwn(this.#schemas, job) ? this.#schemas[job] : undefined
    const { signal, onProgress, onStart } = options
    return new Promise((resolve, reject) => {
      if (schema === undefined) throw invalid(`The engine knows no job ${job}.`)
      if (this.#disposed !== undefined) throw new HalfstepError('engine.stopped', `The engine was closed before ${job} could run.`)
      const parsed = schema.request.safeParse(request)
      if (!parsed.success) throw invalid(`The request for ${job} does not fit: ${parsed.error.issues[0]?.message ?? 'unknown mismatch'}.`)
      if (signal?.aborted === true) throw cancelled(job)
      const onAbort = () => this.#cancel(task)
      const task: Task = {
        id: this.#nextId++,
        job,
        request: parsed.data,
        onStart: () => onStart?.((command) => this.#command(task, schema.command, command)),
        onProgress: (progress) => {
          const value = schema.progress.parse(progress) as JobsOf<J>[N]['progress']
          // Later, so that what a listener throws is the listener's own error and not the engine's.
          queueMicrotask(() => onProgress?.(value))
        },
        onResult: (result) => {
          const value = schema.result.parse(result) as JobsOf<J>[N]['result']
          signal?.removeEventListener('abort', onAbort)
          resolve(value)
        },
        onError: (error) => {
          signal?.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(task)
      this.#next()
    })
  }

  /** Cancels what runs and waits, and resolves when no process is left. */
  dispose(): Promise<void> {
    this.#disposed ??= new Promise((resolve) => {
      for (const task of this.#waiting.splice(0)) task.onError(cancelled(task.job))
      if (this.#engine === undefined) return resolve()
      this.#onIdle = resolve
      this.#stop(this.#engine, cancelled(this.#running?.job ?? 'nothing'))
    })
    return this.#disposed
  }

  /** Hands the next waiting job to the process, started if need be. */
  #next(): void {
    if (this.#running !== undefined || this.#engine?.verdict !== undefined) return
    const task = this.#waiting.shift()
    if (task === undefined) return
    this.#running = task
    this.#engine ??= this.#start()
    const message: ToEngine = { type: 'request', id: task.id, job: task.job, request: task.request }
    this.#engine.process.send(message)
    task.onStart()
  }

  /** Passes a command to a job that runs. Throws `call.invalid` when it does not fit. */
  #command(task: Task, schema: z.ZodType | undefined, command: unknown): void {
    const parsed = schema?.safeParse(command)
    if (parsed?.success !== true) throw invalid(`The command for ${task.job} does not fit.`)
    if (this.#running !== task) return
    const message: ToEngine = { type: 'command', id: task.id, command: parsed.data }
    this.#engine?.process.send(message)
  }

  #start(): Watched {
    const process = this.#launch({
      message: (message) => this.#receive(engine, message),
      heartbeat: () => {
        engine.silentChecks = 0
      },
      output: (text) => {
        engine.output = (engine.output + text).slice(-OUTPUT_KEPT)
        this.#onLog(text)
      },
      end: (end) => this.#ended(engine, end),
    })
    const watch = setInterval(() => this.#check(engine), CHECK_INTERVAL_MS)
    watch.unref()
    const engine: Watched = {
      process, watch, silentChecks: SILENT_CHECKS - SILENT_CHECKS_AT_START, output: '', lastWords: undefined, verdict: undefined,
    }
    return engine
  }

  #receive(engine: Watched, raw: unknown): void {
    if (engine !== this.#engine || engine.verdict !== undefined) return
    const message = FromEngine.safeParse(raw)
    try {
      if (!message.success) throw new TypeError('it is not a message')
      this.#dispatch(engine, message.data)
    } catch (problem) {
      // A process that breaks the protocol cannot be trusted with the next job either.
      const why = problem instanceof Error ? problem.message : String(problem)
      this.#stop(engine, new HalfstepError('internal', `The engine sent something that cannot be understood: ${why}.`, RESTART))
    }
  }

  #dispatch(engine: Watched, message: FromEngine): void {
    if (message.type === 'log') return this.#onLog(message.text)
    if (message.type === 'error' && message.id === null) {
      engine.lastWords = message.error
      return
    }
    const task = this.#running
    if (task === undefined || message.id !== task.id) throw new TypeError(`it concerns job ${String(message.id)}, which does not run`)
    if (message.type === 'progress') return task.onProgress(message.progress)
    if (message.type === 'result') task.onResult(message.result)
    else task.onError(HalfstepError.fromValue(message.error))
    this.#running = undefined
    this.#next()
  }

  #check(engine: Watched): void {
    engine.silentChecks++
    if (engine.silentChecks < SILENT_CHECKS || engine.verdict !== undefined) return
    const job = this.#running?.job
    const message = `The engine no longer answers${job === undefined ? '' : ` while working on ${job}`}, and was ended.`
    this.#stop(engine, new HalfstepError('engine.stopped', message, RESTART, { job: job ?? '' }))
  }

  #cancel(task: Task): void {
    const position = this.#waiting.indexOf(task)
    if (position >= 0) {
      this.#waiting.splice(position, 1)
      task.onError(cancelled(task.job))
    } else if (this.#running === task && this.#engine !== undefined) this.#stop(this.#engine, cancelled(task.job))
  }

  /** Ends the process for a reason of ours; what runs fails with it once the process is gone. */
  #stop(engine: Watched, verdict: HalfstepError): void {
    if (engine.verdict !== undefined) return
    engine.verdict = verdict
    engine.process.kill()
    setTimeout(() => this.#ended(engine, { code: null, signal: null }), KILL_PATIENCE_MS).unref()
  }

  #ended(engine: Watched, end: ProcessEnd): void {
    if (engine !== this.#engine) return
    clearInterval(engine.watch)
    const task = this.#running
    this.#engine = undefined
    this.#running = undefined
    task?.onError(engine.verdict ?? stopped(task.job, end, engine))
    this.#onIdle?.()
    this.#next()
  }
}

const RESTART = 'Run it again: the engine restarts by itself, and nothing that was saved is lost.'

function cancelled(job: string): HalfstepError {
  return new HalfstepError('cancelled', `${job} was cancelled.`, '', { job })
}

function invalid(message: string): HalfstepError {
  return new HalfstepError('call.invalid', message, 'This is a defect in Halfstep; please report it with the steps that led here.')
}

/** The error for a process that ended by itself. */
function stopped(job: string, end: ProcessEnd, engine: Watched): HalfstepError {
  const trace = end.signal === null ? `exit code ${end.code ?? 'unknown'}` : `signal ${end.signal}`
  const cause = (end.problem ?? engine.lastWords?.message ?? trace).replace(/\.$/, '')
  const details = { job, exitCode: end.code ?? -1, signal: end.signal ?? '', output: engine.output.trim() }
  return new HalfstepError('engine.stopped', `The engine stopped while working on ${job}: ${cause}.`, remedy(end), details)
}

function remedy({ signal, problem }: ProcessEnd): string {
  if (problem !== undefined) return 'Reinstall Halfstep: its engine cannot be started.'
  if (signal === 'SIGKILL') {
    return 'The system may have ended it because memory ran out: close other programs or use a smaller picture or batch, then run it again.'
  }
  if (signal === 'SIGSEGV' || signal === 'SIGABRT' || signal === 'SIGBUS') {
    return 'The device\'s driver may have crashed it: update the driver or choose another device, then run it again.'
  }
  return RESTART
}
