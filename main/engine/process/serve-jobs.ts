import { type ErrorValue, HalfstepError, toErrorValue } from '../errors.ts'
import { type FromEngine, type JobSchemas, type JobsOf, ToEngine } from '../protocol.ts'
import type { ParentPort } from './parent-port.ts'

/** What a job may do besides returning its result. */
export interface JobContext<Progress> {
  readonly progress: (progress: Progress) => void
  readonly log: (text: string) => void
}

/** Does one job. Foreseen errors are thrown as HalfstepError. */
export type JobHandler<Job extends { readonly request: unknown; readonly progress: unknown; readonly result: unknown }> = (
  request: Job['request'],
  context: JobContext<Job['progress']>,
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

  port.onMessage((raw) => {
    const message = ToEngine.safeParse(raw)
    if (message.success) lastJob = lastJob.then(() => answer(message.data))
    else void send({ type: 'error', id: null, error: refusal('The host sent something that is not a request.') })
  })
  port.onClose(() => process.exit())
  process.on('uncaughtException', (error) => {
    void send({ type: 'error', id: null, error: toErrorValue(error) }).then(() => process.exit(1))
  })

  async function answer({ id, job, request }: ToEngine): Promise<void> {
    try {
      const result = await perform(job, request, {
        progress: (progress) => void send({ type: 'progress', id, progress }),
        log: (text) => void send({ type: 'log', text }),
      })
      await send({ type: 'result', id, result })
    } catch (error) {
      await send({ type: 'error', id, error: toErrorValue(error) })
    }
  }

  async function perform(job: string, request: unknown, context: JobContext<unknown>): Promise<unknown> {
    const schema = Object.hasOwn(schemas, job) ? schemas[job] : undefined
    const load = Object.hasOwn(handlers, job) ? handlers[job] : undefined
    if (schema === undefined || load === undefined) throw HalfstepError.fromValue(refusal(`The engine knows no job ${job}.`))
    const parsed = schema.request.safeParse(request)
    if (!parsed.success) {
      const mismatch = parsed.error.issues[0]?.message ?? 'unknown mismatch'
      throw HalfstepError.fromValue(refusal(`The request for ${job} does not fit: ${mismatch}.`))
    }
    const handler = await load()
    return handler(parsed.data as JobsOf<J>[string]['request'], context)
  }
}

function refusal(message: string): ErrorValue {
  const nextStep = 'This is a defect in Halfstep; please report it with the steps that led here.'
  return { code: 'call.invalid', message, nextStep, details: {} }
}
