import type { z } from 'zod'
import { type ErrorValue, HalfstepError, toErrorValue } from '../errors.ts'
import { type FromEngine, type JobSchemas, type JobsOf, ToEngine } from '../protocol.ts'
import type { ParentPort } from './parent-port.ts'

/** What a job may do besides returning its result. */
export interface JobContext<Progress, Command = never> {
  readonly progress: (progress: Progress) => void
  readonly log: (text: string) => void
  /** Listens to commands from now on; what came before is heard at once. */
  readonly onCommand: (listener: (command: Command) => void) => void
}

/** Does one job. Foreseen errors are thrown as HalfstepError. */
export type JobHandler<
  Job extends { readonly request: unknown; readonly progress: unknown; readonly result: unknown; readonly command?: unknown },
> = (
  request: Job['request'],
  context: JobContext<Job['progress'], Job['command']>,
) => Promise<Job['result']>

/** A loader per job, so that starting the process loads no runtime, and one that cannot be loaded is an error like any other. */
export type JobHandlers<J extends JobSchemas> = { readonly [N in keyof J]: () => Promise<JobHandler<JobsOf<J>[N]>> }

/**
 * The engine process's main loop: answers requests one at a time, in the order they came, with progress, then a result or an
 * error. Ends with the host, and says why before it ends by an uncaught error.
 */
export function serveJobs<J extends JobSchemas>(schemas: J, handlers: JobHandlers<J>, port: ParentPort): void {
  const send = (message: FromEngine) => port.send(message)
  let lastJob = Promise.resolve()
  const commands = new Map<number, CommandLine>()

  port.onMessage((raw) => {
    const message = ToEngine.safeParse(raw)
    if (!message.success) void send({ type: 'error', id: null, error: refusal('The host sent something that is not a request.') })
    else if (message.data.type === 'command') commands.get(message.data.id)?.say(message.data.command)
    else {
      const request = message.data
      commands.set(request.id, new CommandLine(schemas[request.job]?.command))
      lastJob = lastJob.then(() => answer(request))
    }
  })
  port.onClose(() => process.exit())
  // A terminal's Ctrl+C reaches all processes in it; what becomes of this one is the host's to say, which may want to pause first.
  process.on('SIGINT', () => undefined)
  process.on('uncaughtException', (error) => {
    void send({ type: 'error', id: null, error: toErrorValue(error) }).then(() => process.exit(1))
  })

  async function answer({ id, job, request }: Extract<ToEngine, { type: 'request' }>): Promise<void> {
    try {
      const result = await perform(job, request, {
        progress: (progress) => void send({ type: 'progress', id, progress }),
        log: (text) => void send({ type: 'log', text }),
        onCommand: (listener) => commands.get(id)?.listen(listener),
      })
      await send({ type: 'result', id, result })
    } catch (error) {
      await send({ type: 'error', id, error: toErrorValue(error) })
    } finally {
      commands.delete(id)
    }
  }

  async function perform(job: string, request: unknown, context: JobContext<unknown, unknown>): Promise<unknown> {
    const schema = Object.hasOwn(schemas, job) ? schemas[job] : undefined
    const load = Object.hasOwn(handlers, job) ? handlers[job] : undefined
    if (schema === undefined || load === undefined) throw HalfstepError.fromValue(refusal(`The engine knows no job ${job}.`))
    const parsed = schema.request.safeParse(request)
    if (!parsed.success) {
      const mismatch = parsed.error.issues[0]?.message ?? 'unknown mismatch'
      throw HalfstepError.fromValue(refusal(`The request for ${job} does not fit: ${mismatch}.`))
    }
    const handler = await load()
    return handler(parsed.data as JobsOf<J>[string]['request'], context as JobContext<unknown, JobsOf<J>[string]['command']>)
  }
}

/** Holds a job's commands until it listens. Those that do not fit its schema are dropped: the host checks them before sending. */
class CommandLine {
  readonly #schema: z.ZodType | undefined
  readonly #waiting: unknown[] = []
  #listener: ((command: unknown) => void) | undefined

  constructor(schema: z.ZodType | undefined) {
    this.#schema = schema
  }

  say(raw: unknown): void {
    const command = this.#schema?.safeParse(raw)
    if (command?.success !== true) return
    if (this.#listener === undefined) this.#waiting.push(command.data)
    else this.#listener(command.data)
  }

  listen(listener: (command: unknown) => void): void {
    this.#listener = listener
    for (const command of this.#waiting.splice(0)) listener(command)
  }
}

function refusal(message: string): ErrorValue {
  const nextStep = 'This is a defect in Halfstep; please report it with the steps that led here.'
  return { code: 'call.invalid', message, nextStep, details: {} }
}
