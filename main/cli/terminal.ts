import pc from 'picocolors'
import { HalfstepError, toErrorValue } from '../engine/errors.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

/** Where text goes: a terminal, a file or a pipe. */
export interface TextStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export interface TerminalOptions {
  readonly out: TextStream
  readonly err: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** One JSON document instead of text for people. */
  readonly json: boolean
  /** Also what only helps to find a defect. */
  readonly verbose: boolean
}

export type Colors = ReturnType<typeof pc.createColors>

const CLEAR_LINE = '\r\x1b[K'

/**
 * How a command speaks: results on the output stream, everything else on the error stream, so that results can be piped.
 * In JSON mode the output stream carries exactly one document, `{"error": …}` in place of a result.
 */
export class Terminal {
  readonly colors: Colors
  readonly #options: TerminalOptions
  #statusShown = false

  constructor(options: TerminalOptions) {
    this.#options = options
    this.colors = pc.createColors(wantsColor(options))
  }

  /** Results, line by line as they come; nothing in JSON mode. */
  print(...lines: readonly string[]): void {
    if (this.#options.json) return
    this.#clearStatus()
    for (const line of lines) this.#options.out.write(`${line}\n`)
  }

  /** The whole result for programs; nothing in text mode. */
  document(value: unknown): void {
    if (this.#options.json) this.#options.out.write(`${JSON.stringify(value)}\n`)
  }

  /** A remark beside the results. */
  note(text: string): void {
    this.#clearStatus()
    this.#options.err.write(`${this.colors.dim(text)}\n`)
  }

  /** What is being done right now; replaced by whatever comes next, and shown to people at a terminal only. */
  status(text: string): void {
    if (this.#options.err.isTTY !== true || this.#options.json) return
    this.#options.err.write(`${CLEAR_LINE}${this.colors.dim(text)}`)
    this.#statusShown = true
  }

  /** What the engine and the libraries in it print: noise, unless one looks for a defect. */
  log(text: string): void {
    if (this.#options.verbose) this.#options.err.write(text)
  }

  /** Says what went wrong and what to do about it; gives the exit code. */
  fail(thrown: unknown): ExitCode {
    const error = toErrorValue(thrown)
    this.document({ error })
    this.#clearStatus()
    if (!this.#options.json) {
      this.#options.err.write(`${this.colors.red('✗')} ${error.message}\n`)
      if (error.nextStep !== '') this.#options.err.write(`  ${error.nextStep}\n`)
    }
    if (!(thrown instanceof HalfstepError) && thrown instanceof Error) this.log(`${thrown.stack ?? ''}\n`)
    return error.code === 'usage' ? EXIT.usage : EXIT.failed
  }

  #clearStatus(): void {
    if (this.#statusShown) this.#options.err.write(CLEAR_LINE)
    this.#statusShown = false
  }
}

/** Colours for people at a terminal; https://no-color.org and FORCE_COLOR have the last word. */
function wantsColor({ out, env, json }: TerminalOptions): boolean {
  if (json || env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return out.isTTY === true && env.TERM !== 'dumb'
}
