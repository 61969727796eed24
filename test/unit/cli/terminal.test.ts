import { describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { Terminal, type TerminalOptions } from '../../../main/cli/terminal.ts'

function terminal(options: Partial<TerminalOptions> & { readonly isTTY?: boolean } = {}) {
  const written = { out: '', err: '' }
  const { isTTY = false, ...rest } = options
  const stream = (name: 'out' | 'err') => ({ isTTY, write: (text: string) => (written[name] += text) })
  return { written, terminal: new Terminal({ out: stream('out'), err: stream('err'), env: {}, json: false, verbose: false, ...rest }) }
}

describe('the terminal', () => {
  it.each([
    ['at a terminal', { isTTY: true }, true],
    ['in a pipe', { isTTY: false }, false],
    ['with NO_COLOR', { isTTY: true, env: { NO_COLOR: '1' } }, false],
    ['with FORCE_COLOR in a pipe', { isTTY: false, env: { FORCE_COLOR: '1' } }, true],
    ['at a dumb terminal', { isTTY: true, env: { TERM: 'dumb' } }, false],
    ['in JSON mode', { isTTY: true, json: true }, false],
  ])('has colours or not: %s', (_, options, expected) => expect(terminal(options).terminal.colors.isColorSupported).toBe(expected))

  it('keeps the output stream to one document in JSON mode', () => {
    const { terminal: json, written } = terminal({ json: true, isTTY: true })
    json.status('working')
    json.print('for people')
    json.document({ a: 1 })
    expect(written).toEqual({ out: '{"a":1}\n', err: '' })
  })

  it('shows what is going on at a terminal only, and wipes it away before the next line', () => {
    const at = terminal({ isTTY: true })
    at.terminal.status('working')
    at.terminal.print('done')
    expect(at.written.err).toMatch(/working.*\r\x1b\[K$/s)
    expect(at.written.out).toBe('done\n')
    const piped = terminal()
    piped.terminal.status('working')
    expect(piped.written.err).toBe('')
  })

  it('prints what libraries say only when asked', () => {
    for (const [verbose, expected] of [[false, ''], [true, 'noise']] as const) {
      const { terminal: it, written } = terminal({ verbose })
      it.log('noise')
      expect(written.err).toBe(expected)
    }
  })

  it('shows no stack for a defect, unless asked', () => {
    const quiet = terminal()
    expect(quiet.terminal.fail(new TypeError('x is undefined'))).toBe(1)
    expect(quiet.written.err).toContain('x is undefined\n  This is a defect in Halfstep')
    expect(quiet.written.err).not.toContain('    at ')
    const verbose = terminal({ verbose: true })
    verbose.terminal.fail(new TypeError('x is undefined'))
    expect(verbose.written.err).toContain('    at ')
  })

  it('tells usage errors by their exit code', () => expect(terminal().terminal.fail(new HalfstepError('usage', 'No.'))).toBe(2))
})
